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

import logging
from typing import TYPE_CHECKING

from gatepass import aio
from gatepass.errors import GatepassError
from gatepass.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any, TypeAlias

    from gatepass.errors import Refusal

    Scope: TypeAlias = MutableMapping[str, Any]
    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["RequireIdToken"]

logger = logging.getLogger("gatepass")


class RequireIdToken:
    """Lets a request or a WebSocket through if its token is accepted, with the claims in `scope["state"]`,
    which is `request.state.claims` in Starlette and FastAPI.

    Any other is answered with a status and the error's code; the message goes to the logger "gatepass".

    Args:
        app: The application to guard.
        verifier: Whom to accept.
    """

    def __init__(self, app: Application, verifier: Verifier) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Called by the server, or the framework."""
        if scope["type"] in ("http", "websocket"):
            try:
                token = self._verifier.token_from_headers(scope["headers"])
                claims = await aio.verify(token, verifier=self._verifier)
            except GatepassError as error:
                logger.warning("refused a request: %s", error)
                return await _refuse(error.refusal, scope, send)
            scope.setdefault("state", {})["claims"] = claims
        await self._app(scope, receive, send)


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):  # The server answers 403 for itself.
            return await send({"type": "websocket.close"})
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": refusal.body.encode()})
