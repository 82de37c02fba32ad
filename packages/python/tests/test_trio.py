"""`gatepass.aio` under trio, and under no event loop at all."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import trio

import gatepass
import gatepass.httpx
from gatepass import aio
from gatepass.testing import Emulator
from support import Answer, Gate, Request, Server, metadata_server

AUDIENCE = "https://receiver.example"


def test_tokens_are_fetched_and_verified(adc: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> str:
        source = gatepass.TokenSource()
        verifier = gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url)
        claims = await aio.verify(await aio.fetch_id_token(AUDIENCE, source=source), verifier=verifier)
        with Server(lambda request: Answer(body=request.headers["authorization"])) as server:
            async with httpx.AsyncClient(auth=gatepass.httpx.IdTokenAuth(source=source)) as client:
                assert (await client.get(server.url)).text.startswith("Bearer ")
        assert adc.counts()
        monkeypatch.setenv("K_SERVICE", "orders")
        assert len(await aio.own_audiences()) == 2
        return str(claims["aud"])

    assert trio.run(main) == AUDIENCE


def test_a_flight_is_shared_with_asyncio_and_outlives_a_cancelled_scope(emulator: Emulator) -> None:
    gate, token = Gate(), emulator.mint(AUDIENCE)

    def answer(request: Request) -> Answer:
        gate.hold()
        return Answer(body=token, headers={"Metadata-Flavor": "Google"})

    async def give_up(source: gatepass.TokenSource) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: aio.fetch_id_token(AUDIENCE, source=source))
            await trio.to_thread.run_sync(gate.wait_for, 1)
            nursery.cancel_scope.cancel()

    with metadata_server(answer) as server:
        source = gatepass.TokenSource()
        trio.run(give_up, source)
        gate.open()
        assert asyncio.run(aio.fetch_id_token(AUDIENCE, source=source)) == token
        assert len(server.requests) == 1


def test_without_an_event_loop_it_says_so(emulator: Emulator) -> None:
    gate = Gate()

    def answer(request: Request) -> Answer:
        gate.hold()  # Whoever needs not wait needs no loop.
        return Answer(404)

    with metadata_server(answer):
        call = aio.fetch_id_token(AUDIENCE, source=gatepass.TokenSource())
        with pytest.raises(gatepass.GatepassError, match="no event loop of asyncio or trio") as raised:
            call.send(None)
        gate.open()
    assert raised.value.code == "API_MISUSE"
