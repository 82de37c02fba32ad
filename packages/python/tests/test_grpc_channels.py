"""gRPC channels over time: tokens that are waited for, refused, replaced, and outlived."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

import gatepass
import gatepass.grpc
from gatepass.grpc._credentials import Plugin
from gatepass.testing import Emulator
from orders import (
    AUDIENCE,
    CALLER,
    HANDLERS,
    KINDS,
    Server,
    answers,
    call,
    certified,
    email,
    emulator_account,
    refused,
    sync_server,
    verifier,
)
from support import IDENTITY, PATIENCE, Answer, Gate, Request, metadata_server, until
from support import Server as MetadataServer

UNARY = "/shop.Orders/unary_unary"
HOUR = 3600


def by_credentials(server: Server, **options: Any) -> grpc.Channel:
    return server.channel(gatepass.grpc.id_token_credentials(**options))


def by_channel(server: Server, **options: Any) -> grpc.Channel:
    tls = grpc.ssl_channel_credentials(server.root)
    return gatepass.grpc.secure_channel(f"127.0.0.1:{server.port}", channel_credentials=tls, **options)


def by_plaintext(server: Server, **options: Any) -> grpc.Channel:
    target = f"127.0.0.1:{server.plaintext_port}"
    return gatepass.grpc.insecure_channel(target, allow_plaintext_loopback=True, **options)


def by_channel_aio(server: Server, **options: Any) -> grpc.aio.Channel:
    tls = grpc.ssl_channel_credentials(server.root)
    return gatepass.grpc.secure_channel_aio(f"127.0.0.1:{server.port}", channel_credentials=tls, **options)


def by_plaintext_aio(server: Server, **options: Any) -> grpc.aio.Channel:
    target = f"127.0.0.1:{server.plaintext_port}"
    return gatepass.grpc.insecure_channel_aio(target, allow_plaintext_loopback=True, **options)


WAYS = [by_credentials, by_channel, by_plaintext]
# Those that see the refusal of a token; call credentials do not.
REPEATING_WAYS = [by_channel, by_plaintext]
WAYS_AIO = [by_channel_aio, by_plaintext_aio]
Connect = Callable[..., Any]


def code_of(error: Any) -> grpc.StatusCode:
    code: grpc.StatusCode = error.code()
    return code


@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_a_secure_channel_carry_a_token(kind: str, server: Server, adc: Emulator) -> None:
    with by_channel(server) as channel:
        for _ in range(2):  # Once it is waited for, once it is at hand.
            assert call(channel, kind) == answers(kind, emulator_account(adc))


@pytest.mark.parametrize("kind", KINDS)
def test_so_do_those_of_grpc_aio(kind: str, server: Server, adc: Emulator) -> None:
    async def calls() -> None:
        async with by_channel_aio(server) as channel:
            for _ in range(2):
                assert await call_aio(channel, kind) == answers(kind, emulator_account(adc))

    asyncio.run(calls())


async def call_aio(channel: grpc.aio.Channel, kind: str) -> list[bytes]:
    method = getattr(channel, kind)(f"/shop.Orders/{kind}")
    answer = method(iter([b"1", b"2"]) if kind.startswith("stream") else b"2", timeout=PATIENCE)
    return [one async for one in answer] if kind.endswith("stream") else [await answer]


def test_grpc_is_asked_to_wait_only_where_it_must(
    server: Server, adc: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    by_grpc = Plugin.__call__

    def count(self: Plugin, context: Any, callback: Any) -> None:
        asked.append(context.method_name)
        by_grpc(self, context, callback)

    monkeypatch.setattr(Plugin, "__call__", count)
    with by_channel(server) as channel:
        for _ in range(10):
            call(channel, "unary_unary")
        assert len(asked) == 1, "a token at hand takes no thread of gRPC's"
        call(channel, "unary_unary", wait_for_ready=True)
        assert len(asked) == 2, "a call that may be sent later gets the token of then"


# While a token is waited for


@contextmanager
def held_back(emulator: Emulator) -> Iterator[tuple[Gate, MetadataServer]]:
    """A metadata server that gives a token once the gate is open."""
    gate = Gate()

    def answer(request: Request) -> Answer:
        gate.hold()
        return Answer(body=emulator.mint(AUDIENCE, email=CALLER), headers={"Metadata-Flavor": "Google"})

    with metadata_server(answer) as metadata:
        try:
            yield gate, metadata
        finally:
            gate.open()


@pytest.mark.parametrize("connect", WAYS)
def test_a_deadline_ends_its_own_wait(connect: Connect, server: Server, emulator: Emulator) -> None:
    with ThreadPoolExecutor() as pool, connect(server) as channel, held_back(emulator) as (gate, metadata):
        waiting = pool.submit(call, channel, "unary_unary")
        gate.wait_for(1)
        for kind in KINDS:
            method = getattr(channel, kind)(f"/shop.Orders/{kind}")
            with pytest.raises(grpc.RpcError) as caught:
                list(method(iter([b"1"]) if kind.startswith("stream") else b"1", timeout=0.05))
            assert code_of(caught.value) is grpc.StatusCode.DEADLINE_EXCEEDED
        gate.open()
        assert waiting.result(PATIENCE) == [CALLER.encode()]
        assert len(metadata.requests) == 1


@pytest.mark.parametrize("connect", [by_credentials, by_channel])
def test_a_cancellation_ends_its_own_wait(connect: Connect, server: Server, emulator: Emulator) -> None:
    with connect(server) as channel, held_back(emulator) as (gate, metadata):
        cancelled, waiting = (channel.unary_unary(UNARY).future(b"1", timeout=PATIENCE) for _ in range(2))
        gate.wait_for(1)
        assert cancelled.cancel()
        with pytest.raises(grpc.FutureCancelledError):
            cancelled.result(PATIENCE)
        gate.open()
        assert waiting.result(PATIENCE) == CALLER.encode()
        assert len(metadata.requests) == 1


@pytest.mark.parametrize("connect", WAYS_AIO)
def test_both_end_it_with_grpc_aio(connect: Connect, server: Server, emulator: Emulator) -> None:
    async def calls(gate: Gate) -> None:
        async with connect(server) as channel:
            method = channel.unary_unary(UNARY)
            waiting = asyncio.ensure_future(awaited(method(b"1", timeout=PATIENCE)))
            cancelled = method(b"1", timeout=PATIENCE)
            await asyncio.to_thread(gate.wait_for, 1)
            with pytest.raises(grpc.RpcError) as caught:
                await method(b"1", timeout=0.05)
            assert code_of(caught.value) is grpc.StatusCode.DEADLINE_EXCEEDED
            assert cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            gate.open()
            assert await waiting == CALLER.encode()

    with held_back(emulator) as (gate, metadata):
        asyncio.run(calls(gate))
        assert len(metadata.requests) == 1


async def awaited(answer: Any) -> bytes:
    found: bytes = await answer
    return found


@pytest.mark.parametrize("connect", WAYS)
def test_nothing_is_left_when_a_channel_is_closed(connect: Connect, server: Server, adc: Emulator) -> None:
    before = set(threading.enumerate())
    with connect(server) as channel:
        for kind in KINDS:
            call(channel, kind)

    # The pool of the server and the threads of gRPC's own core, which Python calls dummies, are no channel's.
    def is_left(thread: threading.Thread) -> bool:
        return thread not in before and not thread.name.startswith(("ThreadPool", "Dummy-"))

    until(lambda: not any(map(is_left, threading.enumerate())))


# When a server refuses a token


def server_is_ahead(moment: list[float], adc: Emulator) -> None:
    """Server and emulator go on by more than a token lives; the client's clock does not."""
    moment[0] += 2 * HOUR
    adc.set_clock(int(moment[0] - moment[1]))


@pytest.fixture
def moment(moment: list[float]) -> list[float]:
    return [moment[0], moment[0]]


@pytest.mark.parametrize("connect", REPEATING_WAYS)
def test_a_refused_unary_call_is_repeated_once(
    connect: Connect, server: Server, adc: Emulator, moment: list[float]
) -> None:
    with connect(server) as channel:
        call(channel, "unary_unary")
        server_is_ahead(moment, adc)
        assert call(channel, "unary_unary") == answers("unary_unary", emulator_account(adc))
        assert adc.counts()[IDENTITY] == 2
        server_is_ahead(moment, adc)
        refused(channel, "unary_unary", grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
        assert adc.counts()[IDENTITY] == 2, "at most once a minute"


@pytest.mark.parametrize("connect", WAYS_AIO)
def test_so_is_one_of_grpc_aio(connect: Connect, server: Server, adc: Emulator, moment: list[float]) -> None:
    async def calls() -> None:
        async with connect(server) as channel:
            await call_aio(channel, "unary_unary")
            server_is_ahead(moment, adc)
            assert await call_aio(channel, "unary_unary") == answers("unary_unary", emulator_account(adc))
            assert adc.counts()[IDENTITY] == 2
            server_is_ahead(moment, adc)
            with pytest.raises(grpc.RpcError) as caught:
                await call_aio(channel, "unary_unary")
            assert code_of(caught.value) is grpc.StatusCode.UNAUTHENTICATED
            assert adc.counts()[IDENTITY] == 2

    asyncio.run(calls())


@pytest.mark.parametrize("connect", REPEATING_WAYS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "unary_unary"])
def test_after_a_refused_stream_the_next_call_has_another_token(
    kind: str, connect: Connect, server: Server, adc: Emulator, moment: list[float]
) -> None:
    with connect(server) as channel:
        call(channel, kind)
        server_is_ahead(moment, adc)
        refused(channel, kind, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
        until_accepted(lambda: call(channel, kind))
        assert adc.counts()[IDENTITY] == 2


@pytest.mark.parametrize("connect", WAYS_AIO)
def test_so_has_it_with_grpc_aio(
    connect: Connect, server: Server, adc: Emulator, moment: list[float]
) -> None:
    async def calls() -> None:
        async with connect(server) as channel:
            for kind in KINDS:
                await call_aio(channel, kind)
            server_is_ahead(moment, adc)
            with pytest.raises(grpc.RpcError) as caught:
                await call_aio(channel, "unary_stream")
            assert code_of(caught.value) is grpc.StatusCode.UNAUTHENTICATED
            assert await call_aio(channel, "stream_stream") == answers("stream_stream", emulator_account(adc))
            assert adc.counts()[IDENTITY] == 2

    asyncio.run(calls())


def until_accepted(attempt: Callable[[], object]) -> None:
    """The refusal is noted by gRPC's own thread, which may come a moment after the caller heard of it."""

    def is_accepted() -> bool:
        try:
            attempt()
        except grpc.RpcError:
            return False
        return True

    until(is_accepted)


def test_a_call_that_grpc_repeats_has_the_token_of_then(
    adc: Emulator, tmp_path: Path, moment: list[float]
) -> None:
    retries = {
        "maxAttempts": 3,
        "initialBackoff": "0.01s",
        "maxBackoff": "0.01s",
        "backoffMultiplier": 1,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {"methodConfig": [{"name": [{"service": "shop.Orders"}], "retryPolicy": retries}]}
    attempts = []

    def fail_at_first(request: bytes, context: grpc.ServicerContext) -> bytes:
        attempts.append(request)
        if len(attempts) == 2:
            server_is_ahead(moment, adc)
            context.abort(grpc.StatusCode.UNAVAILABLE, "two hours pass")
        return email()

    server, tls = certified(tmp_path)
    checks = verifier(adc, clock=lambda: moment[0])
    source = gatepass.TokenSource(clock=lambda: moment[0])
    options = [("grpc.service_config", json.dumps(config))]
    with (
        sync_server(tls, server, checks, {**HANDLERS, "unary_unary": fail_at_first}),
        by_channel(server, source=source, options=options) as channel,
    ):
        for _ in range(2):
            assert call(channel, "unary_unary") == [emulator_account(adc).encode()]
    assert len(attempts) == 3 and adc.counts()[IDENTITY] == 2


@pytest.mark.parametrize("connect", WAYS)
def test_a_stream_outlives_its_token(
    connect: Connect, server: Server, adc: Emulator, moment: list[float]
) -> None:
    requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    source = gatepass.TokenSource(clock=lambda: moment[0])
    with connect(server, source=source) as channel:
        stream = channel.stream_stream("/shop.Orders/stream_stream")(
            iter(requests.get, None), timeout=PATIENCE
        )
        for _ in range(3):
            requests.put(b"1")
            assert next(stream) == emulator_account(adc).encode()
            server_is_ahead(moment, adc)
        requests.put(None)
        assert list(stream) == []
        # A call that begins now has a token of its own.
        assert call(channel, "unary_unary") == answers("unary_unary", emulator_account(adc))
