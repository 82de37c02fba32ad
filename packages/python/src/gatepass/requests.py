"""Attaches tokens to calls with requests: `requests.get(url, auth=gatepass.requests.IdTokenAuth())`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from requests.auth import AuthBase
from requests.sessions import SessionRedirectMixin

from gatepass._calls import UNAUTHORIZED, access_tokens, id_tokens
from gatepass.errors import GatepassError

if TYPE_CHECKING:
    from typing import Any

    from requests import PreparedRequest, Response

    from gatepass._calls import Call, Tokens
    from gatepass._types import Strings, TokenHeader
    from gatepass.source import TokenSource

__all__ = ["AccessTokenAuth", "IdTokenAuth"]


class _TokenAuth(AuthBase):
    _tokens: Tokens

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        call = self._tokens.plan(request.url or "")
        headers = self._tokens.fetch(call)
        request.headers.update(headers)
        body: Any = request.body
        position = body.tell() if hasattr(body, "tell") and hasattr(body, "seek") else None

        def answered(response: Response, **options: Any) -> Response:
            if response.is_redirect:
                self._keep_in(call, response)
            elif response.status_code == UNAUTHORIZED and response.request is request:
                return self._repeat(call, headers, response, position, options)
            return response

        request.register_hook("response", answered)  # type: ignore[no-untyped-call]
        return request

    def _keep_in(self, call: Call, response: Response) -> None:
        """Takes the token off a request that is about to follow a redirect to where it must not travel.
        requests itself takes off `Authorization`, and no other header."""
        redirects = SessionRedirectMixin()
        url = response.request.url or ""
        following = urljoin(url, redirects.get_redirect_target(response) or "")
        try:
            strips = redirects.should_strip_auth(url, following)  # type: ignore[no-untyped-call]
            self._tokens.plan(following)
        except (GatepassError, ValueError):
            strips = True
        if strips:
            for name in call.headers:
                response.request.headers.pop(name, None)

    def _repeat(
        self,
        call: Call,
        headers: dict[str, str],
        response: Response,
        position: int | None,
        options: dict[str, Any],
    ) -> Response:
        """Sends the request once more with another token, if there is one and the body can be sent again."""
        body: Any = response.request.body
        if not (body is None or isinstance(body, (str, bytes)) or position is not None):
            return response
        header = headers[call.headers[0].title()]
        if not self._tokens.is_worth_repeating(call, header, response.status_code):
            return response
        response.content  # The connection goes back for it.  # noqa: B018
        response.close()
        again = response.request.copy()
        again.headers.update(self._tokens.fetch(call))
        if position is not None:
            body.seek(position)
        adapter = response.connection
        repeated: Response = adapter.send(again, **options)
        repeated.history.append(response)
        repeated.request = again
        return repeated


class IdTokenAuth(_TokenAuth):
    """Sends an ID token, always fresh. A redirect to another host gets none. After a 401 the request is
    repeated once, if another token can be had and the body can be sent again.

    Args:
        audience: The receiver's. Without it, it is derived from each URL that is called: `audience_for_url`.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        token_header: "authorization", or "x-serverless-authorization", which Cloud Run takes as well, so that
            `Authorization` stays the application's own, or "both".
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
    with it. A redirect to another host gets no token. A 401 is answered as `IdTokenAuth` does.

    Args:
        scopes: What the token is good for. Without any it has those of the account (metadata server only).
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        allow_plain_http: As for `IdTokenAuth`.
    """

    def __init__(
        self, scopes: Strings = (), *, source: TokenSource | None = None, allow_plain_http: bool = False
    ) -> None:
        self._tokens = access_tokens(scopes, source, allow_plain_http)
