"""Attaches tokens to calls with httpx: `httpx.AsyncClient(auth=gatepass.httpx.IdTokenAuth())`.

The same object serves a `Client` and an `AsyncClient`, under asyncio or trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from gatepass import aio
from gatepass.audience import audience_for_url
from gatepass.source import TokenSource, as_target, default_source

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from gatepass._types import Strings

__all__ = ["AccessTokenAuth", "IdTokenAuth"]


class IdTokenAuth(httpx.Auth):
    """Sends an ID token in `Authorization`, always fresh. A redirect to another origin gets none.

    Args:
        audience: The receiver's. Without it, what `audience_for_url` says of each URL that is called.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
    """

    def __init__(self, audience: str | None = None, *, source: TokenSource | None = None) -> None:
        self._audience = audience
        self._source = source or default_source()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        request.headers["Authorization"] = self._source.id_token_header(self._audience_for(request))
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx."""
        header = await aio.id_token_header(self._audience_for(request), source=self._source)
        request.headers["Authorization"] = header
        yield request

    def _audience_for(self, request: httpx.Request) -> str:
        return audience_for_url(str(request.url)) if self._audience is None else self._audience


class AccessTokenAuth(httpx.Auth):
    """Sends an access token in `Authorization`, always fresh, for Google's own APIs, and the headers that go
    with it. A redirect to another origin gets no token.

    Args:
        scopes: What the token is good for. Without any it has those of the account (metadata server only).
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
    """

    def __init__(self, scopes: Strings = (), *, source: TokenSource | None = None) -> None:
        self._scopes = as_target(scopes)
        self._source = source or default_source()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        request.headers.update(self._source.access_token_headers(self._scopes))
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Called by httpx."""
        request.headers.update(await aio.access_token_headers(self._scopes, source=self._source))
        yield request
