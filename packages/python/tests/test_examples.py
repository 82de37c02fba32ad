"""The programs of `examples`, as their README runs them."""

from __future__ import annotations

import selectors
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from certificates import Authority
from gatepass.testing import Emulator
from support import ENVIRONMENT, IDENTITY, REPOSITORY

EXAMPLE = REPOSITORY / "packages" / "python" / "examples" / "grpc"
# Seconds that a token lives.
LIFETIME = 4


@pytest.fixture
def stubs(tmp_path: Path) -> Path:
    command = ["-m", "grpc_tools.protoc", "--proto_path=.", f"--python_out={tmp_path}"]
    command += [f"--grpc_python_out={tmp_path}", "bookstore.proto"]
    subprocess.run([sys.executable, *command], cwd=EXAMPLE, check=True, timeout=60)
    return tmp_path


def test_the_bookstore_is_called_for_longer_than_a_token_lives(stubs: Path) -> None:
    authority = Authority(stubs)
    with Emulator(["--lifetime", str(LIFETIME)]) as emulator:
        environment = {**ENVIRONMENT, **emulator.environment, "PYTHONPATH": str(stubs)}
        environment["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(authority.path)
        of_server = {**environment, "PORT": "0", "AUDIENCE": "https://127.0.0.1"}
        with running("server.py", of_server) as server:
            port = int(next(server).rpartition(" ")[2])
            with in_front(authority.server(), port) as front:
                of_client = {**environment, "TARGET": f"127.0.0.1:{front}", "PAUSE_SECONDS": "0.05"}
                with running("client.py", of_client) as client:
                    for line in client:
                        assert line.startswith("Emma for default@emulator")
                        if emulator.counts().get(IDENTITY, 0) == 4:
                            break
                    else:
                        raise AssertionError("the client has ended")


def test_it_is_short() -> None:
    for program in ("client.py", "server.py"):
        lines = (EXAMPLE / program).read_text().splitlines()
        assert len([line for line in lines if line.strip()]) <= 25


@contextmanager
def running(program: str, environment: dict[str, str]) -> Iterator[Iterator[str]]:
    """What the program prints; it ends with the block."""
    command = [sys.executable, str(EXAMPLE / program)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


@contextmanager
def in_front(tls: ssl.SSLContext, port: int) -> Iterator[int]:
    """Ends TLS in front of a server, as Cloud Run does, for one connection; gives the port."""
    tls.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):  # The block has ended.
                raw, _ = listening.accept()
                with (
                    tls.wrap_socket(raw, server_side=True) as client,
                    socket.create_connection(("127.0.0.1", port)) as server,
                ):
                    relay(client, server)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


def relay(client: ssl.SSLSocket, server: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while True:
            for ready, _ in selector.select():
                source: socket.socket = ready.fileobj  # type: ignore[assignment]
                data = source.recv(65536)
                if not data:
                    return
                ready.data.sendall(data)
                while isinstance(source, ssl.SSLSocket) and source.pending():
                    ready.data.sendall(source.recv(65536))
