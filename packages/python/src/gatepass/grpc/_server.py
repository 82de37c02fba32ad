"""Servers of `grpc` that check tokens."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

import grpc

from gatepass._guard import Guard
from gatepass.errors import GatepassError
from gatepass.grpc._claims import current
from gatepass.grpc._methods import service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from gatepass._guard import OnRefusal
    from gatepass._types import Strings
    from gatepass.claims import Claims
    from gatepass.errors import GrpcStatus
    from gatepass.verifier import Verifier

CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


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
            return with_behavior(handler, lambda _behavior, _streams: _refusing(status))
        return with_behavior(handler, lambda behavior, streams: _with_claims(behavior, streams, claims))


def with_behavior(
    handler: grpc.RpcMethodHandler[Any, Any], change: Callable[[Callable[..., Any], bool], Callable[..., Any]]
) -> grpc.RpcMethodHandler[Any, Any]:
    """The same handler with another behavior; `change` is told whether the response is a stream."""
    requests = "stream" if handler.request_streaming else "unary"
    responses = "stream" if handler.response_streaming else "unary"
    make = getattr(grpc, f"{requests}_{responses}_rpc_method_handler")
    behavior = change(getattr(handler, f"{requests}_{responses}"), handler.response_streaming)
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


def _with_claims(behavior: Callable[..., Any], streams: bool, claims: Claims) -> Callable[..., Any]:
    def unary(request: Any, context: grpc.ServicerContext) -> Any:
        return _entered(claims).run(behavior, request, context)

    def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        # A generator runs where it is asked for its next value: each time in the context of the call.
        entered = _entered(claims)
        responses = iter(entered.run(behavior, request, context))
        end = object()
        while (response := entered.run(next, responses, end)) is not end:
            yield response

    return stream if streams else unary


def _entered(claims: Claims) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(current.set, claims)
    return context
