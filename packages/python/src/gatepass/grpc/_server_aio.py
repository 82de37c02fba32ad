"""Servers of `grpc.aio` that check tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio

from gatepass import aio
from gatepass._guard import Guard
from gatepass.errors import GatepassError
from gatepass.grpc._claims import current
from gatepass.grpc._codes import CODES
from gatepass.grpc._methods import service_of
from gatepass.grpc._server import trailer, with_behavior

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from gatepass._guard import OnRefusal
    from gatepass._types import Strings
    from gatepass.errors import GrpcStatus
    from gatepass.verifier import Verifier


class RequireIdTokenAio(grpc.aio.ServerInterceptor):
    """As `RequireIdToken`, for a server of `grpc.aio`. Its handlers are coroutines, or asynchronous
    generators.

    Args:
        verifier: Whom to accept.
        optional: Let a call without a token through as well, without claims. One with a bad token never is.
        open_services: Services that anybody may call, such as "grpc.health.v1.Health".
        on_refusal: Called with the error and the method of a call that is refused, in place of the log line.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        optional: bool = False,
        open_services: Strings = (),
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._guard = Guard(verifier, optional, open_services, on_refusal)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Called by gRPC."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or self._guard.leaves_open(service_of(method)):
            return handler
        try:
            headers: Any = handler_call_details.invocation_metadata
            token = self._guard.verifier.token_from_headers(headers)
            claims = await aio.verify(token, verifier=self._guard.verifier)
        except GatepassError as error:
            if self._guard.goes_without(error):
                return handler
            self._guard.refuse(error, method)
            status = error.grpc_status
            return with_behavior(handler, _refusing(status))
        # This is done in the task of the call, in which its handler runs.
        current.set(claims)
        return handler


def _refusing(status: GrpcStatus) -> Callable[..., Awaitable[None]]:
    async def refuse(_request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.abort(CODES[status.code], status.message, trailer(status))

    return refuse
