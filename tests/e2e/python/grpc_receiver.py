"""Serves the bookstore behind the interceptor, as tests/e2e/grpc/README.md says. Configured by the environment:

PORT (without it, or 0, a free one), AUDIENCE, KEYS_URL, ALLOWED_EMAILS (optional, separated by commas),
TLS_CERTIFICATE and TLS_KEY. Prints `listening <port>` and ends when standard input closes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from bookstore import messages, services

import gatepass
import gatepass.grpc


def answer() -> Any:
    claims = gatepass.grpc.claims()
    assert claims is not None
    millis_left = int(claims["exp"] * 1000 - time.time() * 1000)
    return messages.Answer(caller_email=claims["email"], token_millis_left=millis_left)


class Bookstore(services.BookstoreServicer):
    def GetBook(self, request: Any, context: grpc.ServicerContext) -> Any:
        return answer()

    def ListBooks(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        for _ in range(request.count):
            yield answer()

    def AddBooks(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
        for _ in requests:
            pass
        return answer()

    def Discuss(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for _ in requests:
            yield answer()


def interceptor() -> gatepass.grpc.RequireIdToken:
    allowed = os.environ.get("ALLOWED_EMAILS")
    verifier = gatepass.Verifier(
        os.environ["AUDIENCE"],
        keys_url=os.environ["KEYS_URL"],
        allowed_emails=allowed.split(",") if allowed else None,
    )
    return gatepass.grpc.RequireIdToken(verifier, on_refusal=refused)


def refused(error: gatepass.GatepassError, method: str) -> None:
    print("refused", error.code, file=sys.stderr, flush=True)


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(16), interceptors=[interceptor()])
    services.add_BookstoreServicer_to_server(Bookstore(), server)
    address = f"127.0.0.1:{os.environ.get('PORT', '0')}"
    key, certificate = (Path(os.environ[name]).read_bytes() for name in ("TLS_KEY", "TLS_CERTIFICATE"))
    port = server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))
    server.start()
    print("listening", port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
