"""A receiving service for each framework, behind its middleware, over real HTTP."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import fastapi
import flask
import uvicorn
from werkzeug.serving import make_server

import gatepass
import gatepass.asgi
import gatepass.flask
from support import PATIENCE

# Status of an answer, and the e-mail of the caller that it is for or the code of the refusal.
Answers = list[tuple[int, str]]


def flask_application(verifier: gatepass.Verifier, answers: Answers) -> flask.Flask:
    app = flask.Flask("receiver")
    id_token = gatepass.flask.RequireIdToken(verifier)

    @app.get("/view/<name>")
    @id_token
    def view(name: str) -> dict[str, Any]:
        return {"name": name, "email": flask.g.claims["email"]}

    @app.get("/open")
    def unguarded() -> dict[str, Any]:
        return {"claims": "claims" in flask.g}

    guarded = flask.Blueprint("guarded", "receiver")
    guarded.before_request(id_token.check)

    @guarded.get("/all/<name>")
    def inside(name: str) -> dict[str, Any]:
        return {"name": name, "email": flask.g.claims["email"]}

    @guarded.post("/all/push")
    def push() -> tuple[str, int]:
        assert flask.request.get_data()
        return "", 204

    @guarded.after_request
    def note(response: flask.Response) -> flask.Response:
        refused = json.loads(response.get_data() or "{}")
        answers.append((response.status_code, refused.get("error") or flask.g.claims["email"]))
        return response

    app.register_blueprint(guarded)
    return app


@contextmanager
def flask_receiver(verifier: gatepass.Verifier, answers: Answers) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, flask_application(verifier, answers), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fastapi_application(verifier: gatepass.Verifier, answers: Answers) -> fastapi.FastAPI:
    inside = fastapi.FastAPI()

    @inside.get("/{name}")
    async def view(name: str, request: fastapi.Request) -> dict[str, Any]:
        return {"name": name, "email": request.state.claims["email"]}

    @inside.post("/push", status_code=204)
    async def push(request: fastapi.Request) -> None:
        assert await request.body()
        answers.append((204, request.state.claims["email"]))

    @inside.websocket("/socket")
    async def open_socket(websocket: fastapi.WebSocket) -> None:
        await websocket.accept(headers=[(b"x-caller", websocket.state.claims["email"].encode())])
        await websocket.close()

    app = fastapi.FastAPI()
    for prefix in ("/view", "/all"):
        app.mount(prefix, noting(answers, gatepass.asgi.RequireIdToken(inside, verifier)))

    @app.get("/open")
    async def unguarded(request: fastapi.Request) -> dict[str, Any]:
        return {"claims": hasattr(request.state, "claims")}

    return app


Message = MutableMapping[str, Any]


def noting(answers: Answers, app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Notes refusals."""

    async def noting_app(scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            if status >= 400 and message["type"].endswith(".body"):
                answers.append((status, json.loads(message["body"])["error"]))
            await send(message)

        await app(scope, receive, send_and_note)

    return noting_app


@contextmanager
def fastapi_receiver(verifier: gatepass.Verifier, answers: Answers) -> Iterator[str]:
    with serving(fastapi_application(verifier, answers)) as url:
        yield url


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """An ASGI application behind uvicorn."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE)


Receiver = Callable[[gatepass.Verifier, Answers], AbstractContextManager[str]]
RECEIVERS: dict[str, Receiver] = {"flask": flask_receiver, "fastapi": fastapi_receiver}
