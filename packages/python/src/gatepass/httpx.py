"""Attaches tokens to calls with httpx: `httpx.AsyncClient(auth=gatepass.httpx.IdTokenAuth())`.

The same object serves a `Client` and an `AsyncClient`, under asyncio or trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from gatepass._calls import UNAUTHORIZED, access_tokens, id_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from gatepass._calls import Call, Tokens
    from gatepass._types import Strings, TokenHeader
    from gatepass.source import TokenSource

__all__ = ["AccessTokenAuth", "IdTokenAuth"]


class _TokenAuth(httpx.Auth):
    _tokens: Tokens

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        call = self._tokens.plan(str(request.url))
        _attach(request, self._tokens.fetch(call))
        response = yield request
        if self._is_worth_repeating(call, request, response):
            _attach(request, self._tokens.fetch(call))
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx."""
        call = self._tokens.plan(str(request.url))
        _attach(request, await self._tokens.fetch_async(call))
        response = yield request
        if self._is_worth_repeating(call, request, response):
            _attach(request, await self._tokens.fetch_async(call))
            yield request

    def _is_worth_repeating(self, call: Call, request: httpx.Request, response: httpx.Response) -> bool:
        can_be = response.status_code == UNAUTHORIZED and not response.history
        # A body that is made while it is sent is gone.
        if not can_be or not isinstance(request.stream, httpx.ByteStream):
            return False
        return self._tokens.is_worth_repeating(call, request.headers[call.headers[0]], response.status_code)


def _attach(request: httpx.Request, headers: dict[str, str]) -> None:
    # httpx takes `Authorization` off a redirect to another origin, and no other header.
    if "X-Serverless-Authorization" in headers:
        own = {"X-Serverless-Authorization": headers.pop("X-Serverless-Authorization")}
        request.headers.pop("X-Serverless-Authorization", None)
        request.headers = _OfThisRequestOnly(request.headers, own)
    request.headers.update(headers)


class _OfThisRequestOnly(httpx.Headers):
    """Headers some of which are sent, and are not among those that httpx copies for a redirect."""

    def __init__(self, headers: httpx.Headers, own: dict[str, str]) -> None:
        super().__init__(headers)
        self._own = httpx.Headers(own)

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        return super().raw + self._own.raw

    def __getitem__(self, name: str) -> str:
        return self._own[name] if name in self._own else super().__getitem__(name)


class IdTokenAuth(_TokenAuth):
    """Sends an ID token, always fresh. A redirect to another origin gets none. After a 401 the request is
    repeated once, if another token can be had and the body can be sent again.

    Args:
        audience: The receiver's. Without it, it is derived from each URL that is called: `audience_for_url`.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        token_header: "authorization", or "x-serverless-authorization", which Cloud Run takes as well, so that
            `Authorization` stays the application's own, or "both". No redirect gets the second.
        allow_plain_http: Send the token over http to hosts other than the loopback ones, too, where everybody
            on the way can read it.
    """

    def __init__(
        self,
        audience: str | None = None,
        *,
        source: TokenSource | None = None,
        token_header: TokenHeader = "authorization",
        allow_plain_http: bool = False,
    ) -> None:
        self._tokens = id_tokens(audience, source, token_header, allow_plain_http)


class AccessTokenAuth(_TokenAuth):
    """Sends an access token in `Authorization`, always fresh, for Google's own APIs, and the headers that go
    with it. A redirect to another origin gets no token. A 401 is answered as `IdTokenAuth` does.

    Args:
        scopes: What the token is good for. Without any it has those of the account (metadata server only).
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        allow_plain_http: As for `IdTokenAuth`.
    """

    def __init__(
        self, scopes: Strings = (), *, source: TokenSource | None = None, allow_plain_http: bool = False
    ) -> None:
        self._tokens = access_tokens(scopes, source, allow_plain_http)
