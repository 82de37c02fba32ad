"""Serves the middlewares of the Python package, each behind the servers that its users have.

Answers any request to `/` that is let through with the caller's e-mail. Environment: AUDIENCE, KEYS_URL,
CERTIFICATE and PRIVATE_KEY (PEM files, for TLS). Prints a line of JSON for each server, `{"server": …,
"protocol": …, "port": …}`, then `ready`, and ends when standard input closes. A protocol is http/1.1, h2
(HTTP/2 by TLS) or h2c (HTTP/2 without).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import fastapi
import flask
import gunicorn.app.base
import hypercorn.asyncio
import uvicorn
import waitress.server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from werkzeug.serving import WSGIRequestHandler, make_server

import gatepass
import gatepass.asgi
import gatepass.flask

METHODS = ["GET", "POST"]


def flask_application(verifier: gatepass.Verifier) -> flask.Flask:
    app = flask.Flask("middlewares")
    app.before_request(gatepass.flask.RequireIdToken(verifier).check)

    @app.route("/", methods=METHODS)
    def caller() -> dict[str, str]:
        return {"email": flask.g.claims["email"]}

    return app


def starlette_application(verifier: gatepass.Verifier) -> gatepass.asgi.RequireIdToken:
    async def caller(request: Request) -> JSONResponse:
        return JSONResponse({"email": request.state.claims["email"]})

    return gatepass.asgi.RequireIdToken(Starlette(routes=[Route("/", caller, methods=METHODS)]), verifier)


def fastapi_application(verifier: gatepass.Verifier) -> fastapi.FastAPI:
    app = fastapi.FastAPI()
    app.add_middleware(gatepass.asgi.RequireIdToken, verifier=verifier)

    @app.api_route("/", methods=METHODS)
    async def caller(request: fastapi.Request) -> dict[str, str]:
        return {"email": request.state.claims["email"]}

    return app


def on_werkzeug(app: flask.Flask, listener: socket.socket) -> None:
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    make_server("127.0.0.1", 0, app, threaded=True, fd=listener.fileno()).serve_forever()


def on_waitress(app: flask.Flask, listener: socket.socket) -> None:
    waitress.server.create_server(app, sockets=[listener]).run()


def on_uvicorn(implementation: str) -> Callable[[Any, socket.socket], None]:
    def serve(app: Any, listener: socket.socket) -> None:
        config = uvicorn.Config(app, http=implementation, log_level="critical", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])

    return serve


def on_hypercorn(app: Any, listener: socket.socket) -> None:
    """HTTP/1.1 and h2c, as the client begins."""
    hypercorn_with(app, listener, hypercorn.Config())


def on_hypercorn_by_tls(app: Any, listener: socket.socket) -> None:
    config = hypercorn.Config()
    config.certfile, config.keyfile = os.environ["CERTIFICATE"], os.environ["PRIVATE_KEY"]
    hypercorn_with(app, listener, config)


def hypercorn_with(app: Any, listener: socket.socket, config: hypercorn.Config) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = None
    trigger: Callable[[], Awaitable[None]] = never
    asyncio.run(hypercorn.asyncio.serve(app, config, shutdown_trigger=trigger))


class OnGunicorn(gunicorn.app.base.BaseApplication):  # type: ignore[misc]
    """In a process of its own: it wants signals, and workers."""

    def __init__(self, app: flask.Flask, listener: socket.socket) -> None:
        self._app, self._listener = app, listener
        super().__init__()

    def load_config(self) -> None:
        self.cfg.set("bind", [f"fd://{self._listener.fileno()}"])
        self.cfg.set("loglevel", "critical")
        self.cfg.set("workers", 1)

    def load(self) -> flask.Flask:
        return self._app


def listening() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.set_inheritable(True)
    return listener


def announce(server: str, protocols: list[str], listener: socket.socket) -> None:
    for protocol in protocols:
        port = listener.getsockname()[1]
        print(json.dumps({"server": server, "protocol": protocol, "port": port}), flush=True)


def begin_gunicorn(verifier: Callable[[], gatepass.Verifier]) -> None:
    """Before any thread is started: this process is copied."""
    listener = listening()
    announce("Flask on gunicorn", ["http/1.1"], listener)
    parent_lives, parents_end = os.pipe()
    if os.fork() != 0:
        return listener.close()
    os.close(parents_end)
    os.setpgrp()

    def end_with_parent() -> None:
        os.read(parent_lives, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=end_with_parent, daemon=True).start()
    OnGunicorn(flask_application(verifier()), listener).run()


def main() -> None:
    logging.disable(logging.CRITICAL)

    def verifier() -> gatepass.Verifier:
        return gatepass.Verifier(os.environ["AUDIENCE"], keys_url=os.environ["KEYS_URL"])

    begin_gunicorn(verifier)
    one = verifier()
    wsgi, starlette, fast = flask_application(one), starlette_application(one), fastapi_application(one)
    for name, app, serve, protocols in [
        ("Flask on Werkzeug", wsgi, on_werkzeug, ["http/1.1"]),
        ("Flask on waitress", wsgi, on_waitress, ["http/1.1"]),
        ("Starlette on uvicorn with h11", starlette, on_uvicorn("h11"), ["http/1.1"]),
        ("FastAPI on uvicorn with httptools", fast, on_uvicorn("httptools"), ["http/1.1"]),
        ("FastAPI on hypercorn", fast, on_hypercorn, ["http/1.1", "h2c"]),
        ("Starlette on hypercorn by TLS", starlette, on_hypercorn_by_tls, ["h2"]),
    ]:
        listener = listening()
        announce(name, protocols, listener)
        threading.Thread(target=serve, args=(app, listener), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
