"""The callers of tests/e2e/<language>, and the `gatepass` program, as something that fetches an ID token."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from emulator import AUDIENCE, CLI, ROOT

# Language → its caller and its arguments; see xtask/src/languages/mod.rs.
CALLERS: dict[str, list[str]] = json.loads(os.environ["CALLERS"])
NAMES = [*CALLERS, "gatepass"]
TIMEOUT_SECONDS = 240
STORE_PASSWORD = "-Djavax.net.ssl.trustStorePassword=changeit"


@dataclass(frozen=True)
class Outcome:
    """Whose token the receiver has seen, or the error; and all that the program has printed."""

    email: str
    error: str
    printed: str


def call(name: str, environment: Mapping[str, str], receiver: str) -> Outcome:
    """Has one of `NAMES` fetch a token, with this environment and none else of the machine's."""
    usual = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "CLOUDSDK_CONFIG": "/nonexistent"}
    if name == "gatepass":
        command = [CLI, "token", "--audience", AUDIENCE]
    else:
        command = [*CALLERS[name], json.dumps([{"name": "here", "url": receiver, "audience": AUDIENCE}])]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**usual, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    printed = done.stdout + done.stderr
    if name == "gatepass":
        email = email_of(done.stdout.strip()) if done.returncode == 0 else ""
        return Outcome(email, done.stderr if done.returncode else "", printed)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    report = json.loads(lines[-1]) if lines else {"error": printed}
    return Outcome(report.get("email", ""), report.get("error", ""), printed)


def trusting(name: str, authority: Path) -> dict[str, str]:
    """What each language's users set, so that certificates of this authority, in PEM, are trusted."""
    if name == "node":
        return {"NODE_EXTRA_CA_CERTS": str(authority)}
    if name == "java":
        return {"JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={trust_store(authority)} {STORE_PASSWORD}"}
    return {"SSL_CERT_FILE": str(authority)}


def trust_store(authority: Path) -> Path:
    """The authority as Java wants it, made once."""
    # mitmproxy writes one of its own beside its authority, under the obvious name.
    store = authority.with_name(f"{authority.stem}-for-java.p12")
    if not store.exists():
        options = ["-noprompt", "-storetype", "PKCS12", "-storepass", "changeit", "-alias", "authority"]
        command = ["keytool", "-importcert", *options, "-file", str(authority), "-keystore", str(store)]
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
    return store


@contextmanager
def receiving() -> Iterator[str]:
    """A receiver that takes every token, and says whose it is. It is reached by name."""

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps({"email": email_of(self.headers["Authorization"].split()[1])}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """No access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


def email_of(token: str) -> str:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    email: str = claims["email"]
    return email
