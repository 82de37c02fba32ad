"""How a call gets its token: what it is sent with, and what becomes of a token that is refused."""

from __future__ import annotations

import asyncio
import time
from concurrent import futures
from typing import TYPE_CHECKING

import grpc

from gatepass._calls import UNAUTHORIZED
from gatepass.errors import GatepassError
from gatepass.grpc._codes import CODES
from gatepass.grpc._credentials import metadata_of
from gatepass.grpc._methods import service_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    from gatepass._calls import Call, Tokens
    from gatepass.grpc._credentials import Metadata, Plugin

    # Timeout, metadata, credentials, and the header that bears the token, if it is known here.
    Sent: TypeAlias = tuple[float | None, Any, grpc.CallCredentials | None, str | None]


class ByMetadata:
    """Puts the token into the metadata of each call: for a channel to one service, whose call is planned."""

    def __init__(self, tokens: Tokens, call: Call) -> None:
        self._tokens = tokens
        self._call = call
        self._form = Form(call)

    def load(
        self,
        method: str | bytes,
        timeout: float | None,
        metadata: Any,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
    ) -> Sent:
        """What a call is sent with.

        Raises:
            grpc.RpcError: No token can be had.
        """
        headers = self._tokens.at_hand(self._call)
        if headers is None:
            end = end_of(timeout)
            try:
                headers = self._tokens.start(self._call).result(timeout)
            except futures.TimeoutError:
                return _over(metadata, credentials)
            except GatepassError as error:
                raise NoToken(error) from error
            timeout = until(end)
        return (timeout, *self._form.loaded(metadata, credentials, headers))

    async def load_async(
        self,
        method: str | bytes,
        timeout: float | None,
        metadata: Any,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
    ) -> Sent:
        """The same in an event loop."""
        headers = self._tokens.at_hand(self._call)
        if headers is None:
            end = end_of(timeout)
            try:
                headers = await asyncio.wait_for(self._tokens.fetch_async(self._call), timeout)
            except asyncio.TimeoutError:
                return _over(metadata, credentials)
            except GatepassError as error:
                raise NoToken(error) from error
            timeout = until(end)
        return (timeout, *self._form.loaded(metadata, credentials, headers))

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
        self._calls: dict[str | bytes, tuple[Call, Form]] = {}

    def load(
        self,
        method: str | bytes,
        timeout: float | None,
        metadata: Any,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
    ) -> Sent:
        """What a call is sent with."""
        if not self._may_repeat and not wait_for_ready:
            known = self._calls.get(method) or self._call_of(method)
            if known is not None:
                call, form = known
                headers = self._plugin.tokens.at_hand(call)
                if headers is not None:
                    return (timeout, *form.loaded(metadata, credentials, headers))
        own = self._plugin.credentials
        if credentials is not None:
            own = grpc.composite_call_credentials(credentials, own)
        return timeout, metadata, own, None

    async def load_async(
        self,
        method: str | bytes,
        timeout: float | None,
        metadata: Any,
        credentials: grpc.CallCredentials | None,
        wait_for_ready: bool | None,
    ) -> Sent:
        """The same; nothing is waited for."""
        return self.load(method, timeout, metadata, credentials, wait_for_ready)

    def another_token(self, method: str | bytes, header: str | None) -> bool:
        """Whether a call that was refused with UNAUTHENTICATED gets another token the next time."""
        known = self._call_of(method)
        if known is None:
            return False
        call, _ = known
        if header is None:  # The one that gRPC waited for.
            headers = self._plugin.tokens.at_hand(call)
            header = None if headers is None else header_of(headers, call)
        return header is not None and self._plugin.tokens.is_worth_repeating(call, header, UNAUTHORIZED)

    def _call_of(self, method: str | bytes) -> tuple[Call, Form] | None:
        known = self._calls.get(method)
        if known is None:
            call = self._plugin.call_to(service_of(method))
            if call is not None:
                known = self._calls[method] = call, Form(call)
        return known


class Form:
    """The metadata of a call, made once for each token."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._last: tuple[dict[str, str], Metadata, str] | None = None

    def loaded(
        self,
        metadata: Iterable[Any] | None,
        credentials: grpc.CallCredentials | None,
        headers: dict[str, str],
    ) -> tuple[Any, grpc.CallCredentials | None, str]:
        """The application's own metadata and these headers, and the one that bears the token."""
        last = self._last
        if last is None or last[0] is not headers:
            last = self._last = headers, metadata_of(headers), header_of(headers, self._call)
        _, more, header = last
        return (*metadata, *more) if metadata else more, credentials, header


class NoToken(grpc.RpcError):
    """A call that was not made, as it can have no token. Its cause is gatepass's own error."""

    def __init__(self, error: GatepassError) -> None:
        super().__init__(f"{error.code}: {error}")
        self._code = CODES[error.grpc_call_code]

    def code(self) -> grpc.StatusCode:
        """The status, by the core's rule."""
        return self._code

    def details(self) -> str:
        """The error's code and what is to do."""
        return str(self)


def header_of(headers: dict[str, str], call: Call) -> str:
    """The value of the header that bears the token."""
    return headers[call.headers[0].title()]


def is_refused(code: grpc.StatusCode | None) -> bool:
    """Whether the server has not accepted the token."""
    return code is grpc.StatusCode.UNAUTHENTICATED


def end_of(timeout: float | None) -> float | None:
    """When the call's deadline is, by the monotonic clock."""
    return None if timeout is None else time.monotonic() + timeout


def until(end: float | None) -> float | None:
    """What is left of its time."""
    return None if end is None else max(0.0, end - time.monotonic())


def _over(metadata: Any, credentials: grpc.CallCredentials | None) -> Sent:
    """A call of which gRPC itself says that its deadline has passed, before it sends anything."""
    return -1.0, metadata, credentials, None
