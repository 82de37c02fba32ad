"""Attaches tokens to calls with requests: `requests.get(url, auth=gatepass.requests.IdTokenAuth())`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase

from gatepass.audience import audience_for_url
from gatepass.source import TokenSource, as_target, default_source

if TYPE_CHECKING:
    from requests import PreparedRequest

    from gatepass._types import Strings

__all__ = ["AccessTokenAuth", "IdTokenAuth"]


class IdTokenAuth(AuthBase):
    """Sends an ID token in `Authorization`, always fresh. A redirect to another host gets none.

    Args:
        audience: The receiver's. Without it, what `audience_for_url` says of each URL that is called.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
    """

    def __init__(self, audience: str | None = None, *, source: TokenSource | None = None) -> None:
        self._audience = audience
        self._source = source or default_source()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        audience = audience_for_url(request.url or "") if self._audience is None else self._audience
        request.headers["Authorization"] = self._source.id_token_header(audience)
        return request


class AccessTokenAuth(AuthBase):
    """Sends an access token in `Authorization`, always fresh, for Google's own APIs, and the headers that go
    with it. A redirect to another host gets no token.

    Args:
        scopes: What the token is good for. Without any it has those of the account (metadata server only).
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
    """

    def __init__(self, scopes: Strings = (), *, source: TokenSource | None = None) -> None:
        self._scopes = as_target(scopes)
        self._source = source or default_source()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(self._source.access_token_headers(self._scopes))
        return request
