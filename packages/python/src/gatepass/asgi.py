"""Checks the tokens of requests to an ASGI application, such as one of FastAPI's or Starlette's.

    app = fastapi.FastAPI()
    app.add_middleware(gatepass.asgi.RequireIdToken, verifier=gatepass.Verifier("https://receiver.example"))

    @app.get("/")
    async def hello(request: fastapi.Request) -> str:
        return f"Hello {request.state.claims['email']}"

For some routes only, wrap what serves them: `app.mount("/inside", RequireIdToken(inside, verifier))`. This
module imports no framework. It works under asyncio and trio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatepass import aio
from gatepass._arguments import check
from gatepass._guard import Guard, is_preflight
from gatepass.errors import GatepassError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any, TypeAlias

    from gatepass._guard import OnRefusal
    from gatepass._types import Strings
    from gatepass.errors import Refusal
    from gatepass.verifier import Verifier

    Scope: TypeAlias = MutableMapping[str, Any]
    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["RequireIdToken"]


class RequireIdToken:
    """Lets a request or a WebSocket through if its token is accepted, with the claims in `scope["state"]`,
    which is `request.state.claims` in Starlette and FastAPI.

    Any other is answered with a status and the error's code; the logger "gatepass" gets a line about it.

    Args:
        app: The application to guard.
        verifier: Whom to accept.
        optional: Let a request without a token through as well, with None for the claims; never one with a
            bad token.
        open_paths: Paths that need no token, such as that of a health check. Each is the whole path.
        on_refusal: Called with the error and the path of a request that is refused, in place of the log line.
        allow_preflight: Let CORS preflights through, which bear no token, for a CORS middleware inside to
            answer. Better put that middleware outside: any route that handles OPTIONS is then reached without
            a token.
    """

    def __init__(
        self,
        app: Application,
        verifier: Verifier,
        *,
        optional: bool = False,
        open_paths: Strings = (),
        on_refusal: OnRefusal | None = None,
        allow_preflight: bool = False,
    ) -> None:
        check({"allow_preflight": allow_preflight}, allow_preflight=bool)
        self._app = app
        self._guard = Guard(verifier, optional, open_paths, on_refusal)
        self._allow_preflight = allow_preflight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server, or the framework."""
        if scope["type"] in ("http", "websocket") and not self._passes(scope):
            try:
                token = self._guard.verifier.token_from_headers(scope["headers"])
                claims = await aio.verify(token, verifier=self._guard.verifier)
            except GatepassError as error:
                if not self._guard.goes_without(error):
                    return await _refuse(self._guard.refuse(error, scope["path"]), scope, send)
                claims = None
            scope.setdefault("state", {})["claims"] = claims
        await self._app(scope, receive, send)

    def _passes(self, scope: Scope) -> bool:
        if self._guard.leaves_open(scope["path"]):
            return True
        if not self._allow_preflight:
            return False
        headers = dict(scope["headers"])
        names = headers.get(b"origin"), headers.get(b"access-control-request-method")
        return is_preflight(scope.get("method", ""), *names)


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):  # The server answers 403 for itself.
            return await send({"type": "websocket.close"})
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": refusal.body.encode()})
