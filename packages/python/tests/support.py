"""What tests stand on: the emulator, a server that answers as a test says, a clock that a test sets."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request
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


class Emulator:
    """`gatepass emulator`, running."""

    def __init__(self) -> None:
        program = os.environ.get("GATEPASS_CLI")
        if not program:
            raise RuntimeError(
                "GATEPASS_CLI is not set: run `cargo xtask test`, or build the program with "
                "`cargo build -p gatepass-cli` and set GATEPASS_CLI to its absolute path"
            )
        self.program = program
        self._process = subprocess.Popen(
            [program, "emulator", "--port", "0", "--mtls-port", "0", "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.environment: dict[str, str] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                self.environment[name] = value
            if line.startswith("# mTLS on "):
                self.mtls_url = line.removeprefix("# mTLS on ").strip()
            if line.startswith("# listening on "):
                self.url = line.removeprefix("# listening on ").strip()
                return
        raise RuntimeError("the emulator has ended without listening")

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    @property
    def keys_url(self) -> str:
        return f"{self.url}/oauth2/v3/certs"

    def key_file(self, email: str) -> str:
        """The text of a service account's key file."""
        return self._run("key", "--email", email, "--emulator", self.url)

    def write_key_file(self, path: Path, *options: str) -> Path:
        """Writes a credential file of any kind, and beside it whatever it names."""
        urls = ["--emulator", self.url, "--mtls", self.mtls_url]
        self._run("key", *options, *urls, "--out", str(path))
        return path

    def authority(self) -> str:
        """The certificate of the authority that stands behind the emulator's TLS, in PEM."""
        return self._run("ca")

    def token_info(self, access_token: str) -> dict[str, Any]:
        """What an access token stands for."""
        query = urllib.parse.urlencode({"access_token": access_token})
        with urllib.request.urlopen(f"{self.url}/tokeninfo?{query}", timeout=PATIENCE) as response:
            info: dict[str, Any] = json.load(response)
        return info

    def push(self, *options: str) -> bool:
        """Sends a request as one of Google's senders does; whether it was taken."""
        command = [self.program, "emulator", "push", "--emulator", self.url, *options]
        return subprocess.run(command, capture_output=True, timeout=PATIENCE).returncode == 0

    def _run(self, *arguments: str) -> str:
        command = [self.program, "emulator", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    def counts(self) -> dict[str, int]:
        """How often each path was asked for."""
        counts: dict[str, int] = self.control("GET", "requests")["counts"]
        return counts

    def mint(self, **order: Any) -> str:
        """An ID token as ordered."""
        token: str = self.control("POST", "mint", order)["token"]
        return token

    def fault(self, **order: Any) -> None:
        """Spoils the next answers for a path."""
        self.control("POST", "fault", order)

    def reset(self) -> None:
        self.control("POST", "requests:reset")
        self.control("POST", "fault:clear")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.url}/emulator/v1/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return json.loads(response.read() or b"null")


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
                octets = reply.body.encode() if isinstance(reply.body, str) else reply.body
                self.send_response_only(reply.status)
                for name, value in {"Content-Length": str(len(octets)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # The other side may have heard enough.
                    self.wfile.write(octets)
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
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = float(int(time.time()))

    def __call__(self) -> float:
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
