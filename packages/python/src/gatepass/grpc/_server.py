"""Servers of `grpc` that check tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from gatepass._guard import Guard
from gatepass.errors import GatepassError
from gatepass.grpc._claims import current
from gatepass.grpc._codes import CODES
from gatepass.grpc._methods import service_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatepass._guard import OnRefusal
    from gatepass._types import Strings
    from gatepass.errors import GrpcStatus
    from gatepass.verifier import Verifier


class RequireIdToken(grpc.ServerInterceptor):
    """Lets a call through if its token is accepted; `gatepass.grpc.claims()` gives its claims in the handler.

    Any other ends with UNAUTHENTICATED, PERMISSION_DENIED, or UNAVAILABLE where the issuer's keys cannot be
    had, with the error's code in `google.rpc.ErrorInfo`; the message goes to the logger "gatepass".

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

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Called by gRPC."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or self._guard.leaves_open(service_of(method)):
            return handler
        try:
            headers: Any = handler_call_details.invocation_metadata
            token = self._guard.verifier.token_from_headers(headers)
            claims = self._guard.verifier.verify(token)
        except GatepassError as error:
            if self._guard.goes_without(error):
                return handler
            self._guard.refuse(error, method)
            status = error.grpc_status
            return with_behavior(handler, _refusing(status))
        # This is done in the context of the call, in which its handler runs.
        current.set(claims)
        return handler


def with_behavior(
    handler: grpc.RpcMethodHandler[Any, Any], behavior: Callable[..., Any]
) -> grpc.RpcMethodHandler[Any, Any]:
    """A handler of the same kind of calls with another behavior."""
    requests = "stream" if handler.request_streaming else "unary"
    responses = "stream" if handler.response_streaming else "unary"
    make = getattr(grpc, f"{requests}_{responses}_rpc_method_handler")
    made: grpc.RpcMethodHandler[Any, Any] = make(
        behavior, handler.request_deserializer, handler.response_serializer
    )
    return made


def trailer(status: GrpcStatus) -> tuple[tuple[str, bytes]]:
    """The trailer with `google.rpc.Status`."""
    return (("grpc-status-details-bin", status.details),)


def _refusing(status: GrpcStatus) -> Callable[..., Any]:
    def refuse(_request: Any, context: grpc.ServicerContext) -> Any:
        context.set_trailing_metadata(trailer(status))
        context.abort(CODES[status.code], status.message)

    return refuse
