"""gRPC: calls that carry tokens, and servers that check them, over TLS and HTTP/2."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2

import gatepass
import gatepass.grpc
from gatepass.testing import Emulator
from orders import (
    AUDIENCE,
    CALLER,
    KINDS,
    Server,
    aio_server,
    answers,
    call,
    certified,
    details_of,
    emulator_account,
    refused,
    sync_server,
    verifier,
)
from support import IDENTITY, PATIENCE


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_call_carries_a_token(kind: str, server: Server, adc: Emulator) -> None:
    with server.channel(gatepass.grpc.id_token_credentials()) as channel:
        assert call(channel, kind) == answers(kind, emulator_account(adc))


@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_grpc_aio_carry_one(kind: str, server: Server, adc: Emulator) -> None:
    async def calls() -> list[bytes]:
        credentials = server.credentials(gatepass.grpc.id_token_credentials())
        async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", credentials) as channel:
            method = getattr(channel, kind)(f"/shop.Orders/{kind}")
            answer = method(iter([b"1", b"2"]) if kind.startswith("stream") else b"2", timeout=PATIENCE)
            return [one async for one in answer] if kind.endswith("stream") else [await answer]

    assert asyncio.run(calls()) == answers(kind, emulator_account(adc))


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_without_a_token_is_refused(kind: str, server: Server) -> None:
    with server.channel() as channel:
        refused(channel, kind, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


@pytest.mark.parametrize(
    ("order", "status", "code"),
    [
        ({"claims": {"aud": "https://other.example"}}, grpc.StatusCode.UNAUTHENTICATED, "BAD_AUDIENCE"),
        ({"issued_at": 1_700_000_000}, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED"),
        ({"strip_signature": True}, grpc.StatusCode.UNAUTHENTICATED, "SIGNATURE_STRIPPED"),
        ({"claims": {"email": "other@x.example"}}, grpc.StatusCode.PERMISSION_DENIED, "EMAIL_NOT_ALLOWED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_token_is_refused(
    order: dict[str, Any], status: grpc.StatusCode, code: str, server: Server, emulator: Emulator
) -> None:
    claims = {"aud": AUDIENCE, "email": CALLER, **order.get("claims", {})}
    token = emulator.mint(**{**order, "claims": claims})
    with server.channel(grpc.access_token_call_credentials(token)) as channel:
        refused(channel, "unary_unary", status, code)
        error = refused(channel, "stream_stream", status, code)
        assert token not in str(error)


def test_two_tokens_are_refused(server: Server, emulator: Emulator) -> None:
    header = f"Bearer {emulator.mint(AUDIENCE, email=CALLER)}"
    with server.channel() as channel:
        assert call(channel, "unary_unary", metadata=[("authorization", header)]) == [CALLER.encode()]
        twice = [("authorization", header), ("authorization", header)]
        refused(channel, "unary_unary", grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MALFORMED", metadata=twice)


def test_a_server_that_cannot_have_its_keys_says_when_to_try_again(
    server: Server, emulator: Emulator
) -> None:
    emulator.fault("/oauth2/v3/certs", status=503, times=8)
    with server.channel(grpc.access_token_call_credentials(emulator.mint(AUDIENCE, email=CALLER))) as channel:
        error = refused(channel, "unary_unary", grpc.StatusCode.UNAVAILABLE, "KEYS_UNAVAILABLE")
    retry = error_details_pb2.RetryInfo()
    assert details_of(error).details[1].Unpack(retry) and retry.retry_delay.seconds == 5


def test_a_service_may_be_left_open(server: Server) -> None:
    with server.channel() as channel:
        for kind in KINDS:
            assert call(channel, kind, "grpc.health.v1.Health") == answers(kind, "nobody")


@pytest.mark.parametrize("start", [sync_server, aio_server])
def test_a_caller_may_be_optional_and_a_refusal_heard_of(
    start: Any, emulator: Emulator, tmp_path: Path
) -> None:
    heard = []

    def on_refusal(error: gatepass.GatepassError, method: str) -> None:
        heard.append((error.code, method))

    server, tls = certified(tmp_path)
    with start(tls, server, verifier(emulator), optional=True, on_refusal=on_refusal):
        with server.channel() as channel:
            for kind in KINDS:
                assert call(channel, kind) == answers(kind, "nobody")
        with server.channel(grpc.access_token_call_credentials("a.b.c")) as channel:
            refused(channel, "unary_stream", grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MALFORMED")
    assert heard == [("TOKEN_MALFORMED", "/shop.Orders/unary_stream")]


def test_a_channel_outlives_its_tokens(server: Server, adc: Emulator, moment: list[float]) -> None:
    """Made once, called for a day: no word about tokens."""
    source = gatepass.TokenSource(clock=lambda: moment[0])
    with server.channel(gatepass.grpc.id_token_credentials(source=source)) as channel:
        seen = set()
        for hour in range(1, 25):
            for _ in range(5):
                call(channel, "unary_unary")
            seen.add(source.id_token_header(AUDIENCE))
            adc.set_clock(hour * 3600)
            moment[0] += 3600
    assert len(seen) == 24


def test_many_cold_calls_make_one_request(server: Server, adc: Emulator) -> None:
    with server.channel(gatepass.grpc.id_token_credentials()) as channel, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: call(channel, "unary_unary"), range(64)))
    assert sum(count for path, count in adc.counts().items() if path.endswith("/identity")) == 1


def test_the_token_goes_beside_the_applications_own(server: Server, adc: Emulator) -> None:
    credentials = gatepass.grpc.id_token_credentials(token_header="x-serverless-authorization")
    with server.channel(credentials) as channel:
        own = [("authorization", "Basic YTpi")]
        assert call(channel, "unary_unary", metadata=own) == [emulator_account(adc).encode()]


def test_without_credentials_the_call_says_why(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    credentials = gatepass.grpc.id_token_credentials()
    with server.channel(credentials) as channel, pytest.raises(grpc.RpcError) as caught:
        call(channel, "unary_unary")
    error: Any = caught.value
    assert "no credentials were found" in error.details()


def test_a_call_without_a_token_has_the_status_that_the_core_gives_it(
    server: Server, adc: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"127.0.0.1:{server.plaintext_port}"

    async def call_aio() -> None:
        async with gatepass.grpc.insecure_channel_aio(
            target, source=gatepass.TokenSource(), allow_plaintext_loopback=True
        ) as channel:
            await channel.unary_unary("/shop.Orders/unary_unary")(b"1", timeout=PATIENCE)

    def expect(code: grpc.StatusCode) -> None:
        with gatepass.grpc.insecure_channel(
            target, source=gatepass.TokenSource(), allow_plaintext_loopback=True
        ) as channel:
            attempts = [lambda kind=kind: call(channel, kind) for kind in KINDS]
            for attempt in (*attempts, lambda: asyncio.run(call_aio())):
                with pytest.raises(grpc.RpcError) as caught:
                    attempt()
                error: Any = caught.value
                assert isinstance(error.__cause__, gatepass.GatepassError)
                assert (error.code(), error.details()[:9]) == (code, error.__cause__.code[:9])

    adc.fault(IDENTITY, status=503, times=100)
    expect(grpc.StatusCode.UNAVAILABLE)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GCE_METADATA_HOST")
    expect(grpc.StatusCode.UNAUTHENTICATED)


def test_no_token_travels_in_clear(server: Server, adc: Emulator) -> None:
    target = f"127.0.0.1:{server.plaintext_port}"
    for channel in (gatepass.grpc.insecure_channel, gatepass.grpc.insecure_channel_aio):
        with pytest.raises(gatepass.GatepassError, match="allow_plaintext_loopback"):
            channel(target)
        with pytest.raises(gatepass.GatepassError, match="TLS"):
            channel("10.0.0.1:50051", allow_plaintext_loopback=True)
    with gatepass.grpc.insecure_channel(target, allow_plaintext_loopback=True) as channel:
        for kind in KINDS:
            assert call(channel, kind) == answers(kind, emulator_account(adc))


def test_no_token_travels_in_clear_with_grpc_aio(server: Server, adc: Emulator) -> None:
    async def calls() -> bytes:
        target = f"dns:///127.0.0.1:{server.plaintext_port}"
        async with gatepass.grpc.insecure_channel_aio(target, allow_plaintext_loopback=True) as channel:
            answer: bytes = await channel.unary_unary("/shop.Orders/unary_unary")(b"1", timeout=PATIENCE)
            streamed = channel.stream_stream("/shop.Orders/stream_stream")(iter([b"1", b"2"]))
            assert [one async for one in streamed] == [answer, answer]
            return answer

    assert asyncio.run(calls()) == emulator_account(adc).encode()
