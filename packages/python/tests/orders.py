"""A service behind the interceptors of `gatepass.grpc`, over TLS and without, for tests of both sides."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

import gatepass
import gatepass.grpc
from certificates import Authority
from gatepass.testing import Emulator
from support import PATIENCE

AUDIENCE = "https://127.0.0.1"
CALLER = "caller@p.iam.gserviceaccount.com"
KINDS = ["unary_unary", "unary_stream", "stream_unary", "stream_stream"]


def email() -> bytes:
    claims = gatepass.grpc.claims()
    return b"nobody" if claims is None else str(claims["email"]).encode()


# What the services do: each answers with its caller's e-mail, as often as it was asked.
HANDLERS: dict[str, Callable[[Any, grpc.ServicerContext], Any]] = {
    "unary_unary": lambda request, _: email(),
    "unary_stream": lambda request, _: (email() for _ in range(int(request))),
    "stream_unary": lambda requests, _: b",".join(email() for _ in requests),
    "stream_stream": lambda requests, _: (email() for _ in requests),
}


async def unary_unary(request: bytes, _: Any) -> bytes:
    return email()


async def unary_stream(request: bytes, _: Any) -> AsyncIterator[bytes]:
    for _ in range(int(request)):
        yield email()


async def stream_unary(requests: AsyncIterator[bytes], _: Any) -> bytes:
    return b",".join([email() async for _ in requests])


async def stream_stream(requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
    async for _ in requests:
        yield email()


HANDLERS_AIO = {
    "unary_unary": unary_unary,
    "unary_stream": unary_stream,
    "stream_unary": stream_unary,
    "stream_stream": stream_stream,
}


def services(handlers: dict[str, Any]) -> list[grpc.GenericRpcHandler]:
    methods = {kind: getattr(grpc, f"{kind}_rpc_method_handler")(handlers[kind]) for kind in KINDS}
    names = ["shop.Orders", "grpc.health.v1.Health"]
    return [grpc.method_handlers_generic_handler(name, methods) for name in names]


def verifier(emulator: Emulator, **options: Any) -> gatepass.Verifier:
    options = {"allowed_emails": [CALLER, emulator_account(emulator)], **options}
    return gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, **options)


def emulator_account(emulator: Emulator) -> str:
    payload = emulator.mint(AUDIENCE).split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["email"])


class Server:
    """A server over TLS, and without."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.port = 0
        self.plaintext_port = 0

    def channel(self, credentials: grpc.CallCredentials | None = None) -> grpc.Channel:
        return grpc.secure_channel(f"127.0.0.1:{self.port}", self.credentials(credentials))

    def credentials(self, credentials: grpc.CallCredentials | None) -> grpc.ChannelCredentials:
        tls = grpc.ssl_channel_credentials(self.root)
        return tls if credentials is None else grpc.composite_channel_credentials(tls, credentials)


@contextmanager
def sync_server(
    tls: grpc.ServerCredentials,
    running: Server,
    checks: gatepass.Verifier,
    handlers: dict[str, Callable[[Any, grpc.ServicerContext], Any]] = HANDLERS,
    **options: Any,
) -> Iterator[None]:
    interceptor = gatepass.grpc.RequireIdToken(checks, open_services=["grpc.health.v1.Health"], **options)
    server = grpc.server(ThreadPoolExecutor(4), handlers=services(handlers), interceptors=[interceptor])
    running.port = server.add_secure_port("127.0.0.1:0", tls)
    running.plaintext_port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait(PATIENCE)


@contextmanager
def aio_server(
    tls: grpc.ServerCredentials, running: Server, checks: gatepass.Verifier, **options: Any
) -> Iterator[None]:
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        open_services = ["grpc.health.v1.Health"]
        interceptor = gatepass.grpc.RequireIdTokenAio(checks, open_services=open_services, **options)
        server = grpc.aio.server(handlers=services(HANDLERS_AIO), interceptors=[interceptor])
        running.port = server.add_secure_port("127.0.0.1:0", tls)
        running.plaintext_port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        ready.set()
        await asyncio.to_thread(stop.wait, PATIENCE)
        await server.stop(None)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)


@pytest.fixture
def moment() -> list[float]:
    """The time by the server's clock."""
    return [time.time()]


@pytest.fixture(params=[sync_server, aio_server])
def server(
    request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path, moment: list[float]
) -> Iterator[Server]:
    running, tls = certified(tmp_path)
    with request.param(tls, running, verifier(emulator, clock=lambda: moment[0])):
        yield running


def certified(folder: Path) -> tuple[Server, grpc.ServerCredentials]:
    """A server to be started, with a certificate for it."""
    authority = Authority(folder)
    certificate = authority.issue("server")
    pair = (certificate.key_path.read_bytes(), certificate.cert_path.read_bytes())
    return Server(authority.path.read_bytes()), grpc.ssl_server_credentials([pair])


def call(channel: grpc.Channel, kind: str, service: str = "shop.Orders", **options: Any) -> list[bytes]:
    """Calls a method with two messages, or for two answers; gives the answers."""
    method = getattr(channel, kind)(f"/{service}/{kind}")
    answer = method(iter([b"1", b"2"]) if kind.startswith("stream") else b"2", timeout=PATIENCE, **options)
    return list(answer) if kind.endswith("stream") else [answer]


def answers(kind: str, who: str) -> list[bytes]:
    return (
        [who.encode()] * 2
        if kind.endswith("stream")
        else [",".join([who] * (2 if kind.startswith("stream") else 1)).encode()]
    )


def refused(
    channel: grpc.Channel, kind: str, status: grpc.StatusCode, code: str, **options: Any
) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, kind, **options)
    error: Any = caught.value
    assert (error.code(), error.details().partition(":")[0]) == (status, code)
    info = error_details_pb2.ErrorInfo()
    assert details_of(error).details[0].Unpack(info) and (info.reason, info.domain) == (code, "gatepass.dev")
    found: grpc.RpcError = error
    return found


def details_of(error: Any) -> Any:
    trailers = dict(error.trailing_metadata())
    return status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
