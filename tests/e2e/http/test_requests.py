"""Every request of tests/vectors/http against every middleware of every language, by every protocol of its
server.

tests/e2e/<language>/middlewares serves them; `MIDDLEWARES` in the environment says how each is started.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import pytest
from certificate import write_certificate
from emulator import AUDIENCE, CALLER, ROOT, Emulator
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset

VECTORS = json.loads((ROOT / "tests/vectors/http/requests.json").read_text())
MIDDLEWARES: dict[str, list[str]] = json.loads(os.environ["MIDDLEWARES"])
PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    name: str
    protocol: str
    port: int

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        if self.protocol != "h2":
            return connection
        context = ssl.create_default_context()
        # The certificate is made for this run; whose it is is no matter here.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(connection)


@dataclass(frozen=True)
class Answer:
    status: int
    """0: the connection was closed, or the stream reset, without an answer."""
    challenge: str
    body: bytes

    @property
    def member(self) -> tuple[str, str]:
        """What the answer says of the caller, or of the error; nothing where the server answers before us."""
        try:
            answer = json.loads(self.body)
        except ValueError:
            return ("", "")
        found: tuple[str, str] = next(iter(answer.items())) if isinstance(answer, dict) else ("", "")
        return found


@pytest.fixture(scope="session")
def tokens(emulator: Emulator) -> dict[str, str]:
    good = {"aud": AUDIENCE, "email": CALLER}
    return {
        "token": emulator.mint(claims=good),
        "other": emulator.mint(claims={"aud": AUDIENCE, "email": f"other-{CALLER}"}),
        "elsewhere": emulator.mint(claims={"aud": "https://elsewhere.example"}),
        "expired": emulator.mint(claims=good, issued_at=1_000_000_000),
        "stripped": emulator.mint(claims=good, strip_signature=True),
    }


@pytest.fixture(scope="session", params=list(MIDDLEWARES))
def servers(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    certificate, key = write_certificate(tmp_path_factory.mktemp("tls"))
    verifier = {"AUDIENCE": AUDIENCE, "KEYS_URL": emulator.keys_url}
    tls = {"CERTIFICATE": str(certificate), "PRIVATE_KEY": str(key)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environment = {**os.environ, **verifier, **tls}
    process = subprocess.Popen(MIDDLEWARES[request.param], cwd=ROOT, env=environment, text=True, **pipes)
    assert process.stdout is not None
    servers = []
    for line in process.stdout:
        if line == "ready\n":
            break
        found = json.loads(line)
        servers.append(Server(found["server"], found["protocol"], found["port"]))
    assert servers, "the middlewares did not start"
    yield servers
    process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_request(case: dict[str, Any], servers: list[Server], tokens: dict[str, str]) -> None:
    wrong = []
    for server in servers:
        if server.protocol == "http/1.1":
            answer = ask(server, case, tokens)
        elif "not_in_http2" not in case:
            answer = ask_by_http2(server, case, tokens)
        else:
            continue
        expected = expectation(case, server)
        if (found := describe(answer)) != expected:
            wrong.append(f"{server.name} by {server.protocol}: {found}, expected {expected}")
        if answer.status == 401 and answer.member[0] == "error":
            has_token = answer.member[1] != "TOKEN_MISSING"
            assert answer.challenge == ('Bearer error="invalid_token"' if has_token else "Bearer")
    assert not wrong, "\n" + "\n".join(wrong)


def expectation(case: dict[str, Any], server: Server) -> dict[str, Any]:
    """What the case expects, or the exception that the file makes for what a server does before us."""
    for other in case.get("except", []):
        if server.name in other["servers"] and server.protocol in other.get("protocols", [server.protocol]):
            return dict(other["expect"])
    return dict(case["expect"])


def describe(answer: Answer) -> dict[str, Any]:
    name, value = answer.member
    if answer.status == 200:
        assert (name, value) == ("email", CALLER)
        return {"status": 200}
    return (
        {"status": answer.status, "error": value}
        if name == "error" and value.isupper()
        else {"status": answer.status}
    )


def filled(text: str, tokens: dict[str, str]) -> bytes:
    for name, token in tokens.items():
        text = text.replace(f"{{{name}}}", token)
    return text.encode("latin-1")


def ask(server: Server, case: dict[str, Any], tokens: dict[str, str]) -> Answer:
    head = [
        f"{case.get('method', 'GET')} / HTTP/1.1",
        "Host: receiver.example",
        "Connection: close",
        *case["lines"],
    ]
    request = filled("".join(f"{line}\r\n" for line in head) + "\r\n" + case.get("body", ""), tokens)
    with server.connect() as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        try:
            response.begin()
            return Answer(response.status, response.headers.get("WWW-Authenticate", ""), response.read())
        except (ConnectionError, ValueError):
            return Answer(0, "", b"")


def ask_by_http2(server: Server, case: dict[str, Any], tokens: dict[str, str]) -> Answer:
    fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "receiver.example")]
    headers: list[tuple[bytes, bytes]] = [(name.encode(), value.encode()) for name, value in fields]
    for line in case["lines"]:
        name, _, value = filled(line, tokens).partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    # What is wrong on purpose is sent as it is.
    config = H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None
    )
    http2 = H2Connection(config)
    with server.connect() as connection:
        http2.initiate_connection()
        http2.send_headers(1, headers, end_stream=True)
        connection.sendall(http2.data_to_send())
        status, challenge, body = 0, "", b""
        while data := connection.recv(65536):
            for event in http2.receive_data(data):
                if isinstance(event, ResponseReceived):
                    answered = {bytes(name): bytes(value).decode() for name, value in event.headers or []}
                    status, challenge = int(answered[b":status"]), answered.get(b"www-authenticate", "")
                elif isinstance(event, DataReceived):
                    body += event.data or b""
                elif isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
                    return Answer(status, challenge, body)
            connection.sendall(http2.data_to_send())
    return Answer(status, challenge, body)
