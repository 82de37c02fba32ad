"""Interceptors of a channel of `grpc`: they attach the token, and act on its refusal."""

from __future__ import annotations

import asyncio
import time
from concurrent import futures
from typing import TYPE_CHECKING

import grpc

from gatepass._calls import UNAUTHORIZED
from gatepass.grpc._credentials import metadata
from gatepass.grpc._methods import service_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatepass._calls import Call, Tokens
    from gatepass.grpc._credentials import Plugin


class ByMetadata:
    """Puts the token into the metadata of each call: for a channel to one service, whose call is planned."""

    def __init__(self, tokens: Tokens, call: Call) -> None:
        self._tokens = tokens
        self._call = call

    def load(self, details: Any) -> tuple[Any, str | None]:
        """The call with its token, and the header that bears it."""
        headers = self._tokens.at_hand(self._call)
        if headers is None:
            end = end_of(details)
            try:
                headers = self._tokens.start(self._call).result(details.timeout)
            except futures.TimeoutError:
                return _over(details)
            details = until(end, details)
        return loaded(details, headers, self._call)

    async def load_async(self, details: Any) -> tuple[Any, str | None]:
        """The same in an event loop."""
        headers = self._tokens.at_hand(self._call)
        if headers is None:
            end = end_of(details)
            try:
                headers = await asyncio.wait_for(self._tokens.fetch_async(self._call), details.timeout)
            except asyncio.TimeoutError:
                return _over(details)
            details = until(end, details)
        return loaded(details, headers, self._call)

    def another_token(self, method: str | bytes, header: str | None) -> bool:
        """Whether a call that was refused with UNAUTHENTICATED gets another token the next time."""
        # HTTP's name for it, by which the core has its rule.
        return header is not None and self._tokens.is_worth_repeating(self._call, header, UNAUTHORIZED)


class ByCredentials:
    """Puts a token that is at hand into the metadata, which costs no thread. Otherwise gRPC waits for it, by
    call credentials, as long as the call's deadline allows.

    Where gRPC may send a call later, or again, it always asks by call credentials, so that each time the call
    bears a token of then.
    """

    def __init__(self, plugin: Plugin, *, may_repeat: bool) -> None:
        self._plugin = plugin
        self._may_repeat = may_repeat
        self._calls: dict[str | bytes, Call] = {}

    def load(self, details: Any) -> tuple[Any, str | None]:
        """The call with its token or with credentials, and the header that bears the token."""
        call = None if self._may_repeat or details.wait_for_ready else self._call_of(details.method)
        headers = None if call is None else self._plugin.tokens.at_hand(call)
        if call is not None and headers is not None:
            return loaded(details, headers, call)
        own = self._plugin.credentials
        if details.credentials is not None:
            own = grpc.composite_call_credentials(details.credentials, own)
        return details._replace(credentials=own), None

    async def load_async(self, details: Any) -> tuple[Any, str | None]:
        """The same; nothing is waited for."""
        return self.load(details)

    def another_token(self, method: str | bytes, header: str | None) -> bool:
        """Whether a call that was refused with UNAUTHENTICATED gets another token the next time."""
        call = self._call_of(method)
        if call is None:
            return False
        if header is None:  # The one that gRPC waited for.
            headers = self._plugin.tokens.at_hand(call)
            header = None if headers is None else header_of(headers, call)
        return header is not None and self._plugin.tokens.is_worth_repeating(call, header, UNAUTHORIZED)

    def _call_of(self, method: str | bytes) -> Call | None:
        call = self._calls.get(method) or self._plugin.call_to(service_of(method))
        if call is not None:
            self._calls[method] = call
        return call


class Attach(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Called by gRPC on the caller's own thread."""

    def __init__(self, carrier: ByMetadata | ByCredentials) -> None:
        self._carrier = carrier

    def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        end = end_of(details)
        sent, header = self._carrier.load(details)
        call = continuation(sent, request)
        if not call.done():  # A future, for which nobody waits here.
            self._note(call, details.method, header)
        elif is_refused(call.code()) and self._carrier.another_token(details.method, header):
            again, _ = self._carrier.load(until(end, details))
            return continuation(again, request)
        return call

    def _stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        sent, header = self._carrier.load(details)
        call = continuation(sent, request)
        self._note(call, details.method, header)
        return call

    intercept_unary_stream = _stream  # type: ignore[assignment]
    intercept_stream_unary = _stream  # type: ignore[assignment]
    intercept_stream_stream = _stream  # type: ignore[assignment]

    def _note(self, call: Any, method: str, header: str | None) -> None:
        def ended(_: object = None) -> None:
            if is_refused(call.code()):
                self._carrier.another_token(method, header)

        # What has ended already takes this one only.
        if hasattr(call, "add_done_callback"):
            call.add_done_callback(ended)
        else:
            call.add_callback(ended)


def is_refused(code: grpc.StatusCode | None) -> bool:
    return code is grpc.StatusCode.UNAUTHENTICATED


def end_of(details: Any) -> float | None:
    """When the call's deadline is, by the monotonic clock."""
    return None if details.timeout is None else time.monotonic() + details.timeout


def until(end: float | None, details: Any) -> Any:
    """The same call with what is left of its time."""
    return details if end is None else details._replace(timeout=max(0.0, end - time.monotonic()))


def _over(details: Any) -> tuple[Any, None]:
    """A call of which gRPC itself says that its deadline has passed, before it sends anything."""
    return details._replace(timeout=-1.0), None


def loaded(details: Any, headers: dict[str, str], call: Call) -> tuple[Any, str]:
    """The same call with more metadata, and the header that bears the token."""
    more = (*(details.metadata or ()), *metadata(headers))
    return details._replace(metadata=more), header_of(headers, call)


def header_of(headers: dict[str, str], call: Call) -> str:
    return headers[call.headers[0].title()]
