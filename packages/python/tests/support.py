"""What tests stand on: the emulator, a server that answers as a test says, a clock that a test sets."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
VECTORS = REPOSITORY / "tests" / "vectors"
# The environment of the test run, for programs that need the user's own: the fixtures give tests a bare one.
ENVIRONMENT = dict(os.environ)
# Seconds that a test waits for what must happen; it fails then, and never depends on how long it took.
PATIENCE = 300


IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity"
ACCESS = "/computeMetadata/v1/instance/service-accounts/default/token"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    certificate: str | None
    """The common name of the certificate that the client has presented."""


@dataclass
class Answer:
    status: int = 200
    body: bytes | str = b""
    headers: dict[str, str] = field(default_factory=dict)


class Server:
    """An HTTP server on the loopback interface: it answers as its function says, and remembers what came."""

    def __init__(self, answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body, common_name(self.connection))
                with server._lock:
                    server.requests.append(request)
                reply = answer(request)
                raw = reply.body.encode() if isinstance(reply.body, str) else reply.body
                self.send_response_only(reply.status)
                # Said, or a client would send its next request just as the connection closes.
                own = {"Content-Length": str(len(raw)), "Connection": "close"}
                for name, value in {**own, **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # The other side may have heard enough.
                    self.wfile.write(raw)
                self.close_connection = True

            do_GET = do_POST = do_CONNECT = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            # The handshake is left to the connection's own thread; one that fails is the client's concern.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"{'http' if tls is None else 'https'}://{self.address}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def common_name(connection: socket.socket) -> str | None:
    certificate = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    subject = certificate.get("subject", ()) if certificate else ()
    names = [value for name in subject for kind, value in name if kind == "commonName"]
    return names[0] if names else None


class Clock:
    """A clock that does not move until a test moves it, and with it one that is never set."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))
        self.step = 0.0
        """How far the clock was set forwards."""

    def __call__(self) -> float:
        return self.now + self.step

    def monotonic(self) -> float:
        return self.now


class Gate:
    """Holds answers back: each request that reaches it waits until the test opens it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrived = 0
        self._open = False

    def hold(self) -> None:
        with self._changed:
            self._arrived += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._open, PATIENCE)

    def open(self) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def wait_for(self, arrived: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._arrived >= arrived, PATIENCE)


@contextmanager
def metadata_server(answer: Callable[[Request], Answer]) -> Iterator[Server]:
    """A metadata server whose answers a test makes; ADC finds it by the environment."""
    with Server(answer) as server:
        os.environ["GCE_METADATA_HOST"] = server.address
        yield server


def until(condition: Callable[[], bool]) -> None:
    """Waits for what another thread is about to do."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.001)
