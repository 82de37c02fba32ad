"""Subject tokens from the user's own functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import gatepass
from gatepass import aio
from gatepass.testing import Emulator
from support import PATIENCE, Gate

EMAIL = "caller@orders-prod.iam.gserviceaccount.com"
AUDIENCE = "https://receiver.example"
POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b"
JWT = "urn:ietf:params:oauth:token-type:jwt"

Fetch = Callable[[gatepass.TokenSource], str]


def source_of(emulator: Emulator, **suppliers: Any) -> gatepass.TokenSource:
    """A source whose credentials name the supplier `ours`."""
    impersonation = f"{emulator.url}/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
    credentials = {
        "type": "external_account",
        "audience": POOL,
        "subject_token_type": JWT,
        "token_url": f"{emulator.url}/v1/token",
        "service_account_impersonation_url": impersonation,
        "credential_source": {"supplier": "ours"},
    }
    return gatepass.TokenSource(
        credentials_json=credentials,
        suppliers=suppliers,
        trusted_endpoints=emulator.url.removeprefix("http://"),
    )


def with_thread(source: gatepass.TokenSource) -> str:
    return source.fetch_id_token(AUDIENCE)


def with_asyncio(source: gatepass.TokenSource) -> str:
    return asyncio.run(aio.fetch_id_token(AUDIENCE, source=source))


@pytest.fixture(params=[with_thread, with_asyncio])
def fetch(request: pytest.FixtureRequest) -> Fetch:
    method: Fetch = request.param
    return method


class Ours:
    """A supplier that remembers what it was asked for."""

    def __init__(self) -> None:
        self.requests: list[gatepass.SubjectTokenRequest] = []

    def plain(self, request: gatepass.SubjectTokenRequest) -> str:
        self.requests.append(request)
        return "subject token"

    async def asynchronous(self, request: gatepass.SubjectTokenRequest) -> str:
        await asyncio.sleep(0)
        return self.plain(request)


@pytest.mark.parametrize("form", ["plain", "asynchronous"])
def test_a_function_supplies_the_subject_token(form: str, fetch: Fetch, emulator: Emulator) -> None:
    ours = Ours()
    source = source_of(emulator, ours=getattr(ours, form), others=str)
    token = fetch(source)
    assert gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url).verify(token)["email"] == EMAIL
    assert fetch(source) == token
    assert [(request.audience, request.token_type) for request in ours.requests] == [(POOL, JWT)]
    assert repr(ours.requests[0]) == f"SubjectTokenRequest(audience={POOL!r}, token_type={JWT!r})"


def test_a_supplier_that_nobody_has_registered(fetch: Fetch, emulator: Emulator) -> None:
    for suppliers, known in (({}, "none"), ({"b": str, "a": str}, "a, b")):
        with pytest.raises(gatepass.CredentialsError, match=f"registered are: {known}") as raised:
            fetch(source_of(emulator, **suppliers))
        assert raised.value.code == "SUBJECT_TOKEN_FAILED"


class Trouble(Exception):
    pass


def raises(request: gatepass.SubjectTokenRequest) -> str:
    raise Trouble("hush")


async def raises_when_awaited(request: gatepass.SubjectTokenRequest) -> str:
    raise Trouble("hush")


@pytest.mark.parametrize("supplier", [raises, raises_when_awaited])
def test_an_exception_is_the_cause_of_the_error(supplier: Any, fetch: Fetch, emulator: Emulator) -> None:
    with pytest.raises(gatepass.CredentialsError, match="Trouble") as raised:
        fetch(source_of(emulator, ours=supplier))
    assert raised.value.code == "SUBJECT_TOKEN_FAILED"
    assert isinstance(raised.value.__cause__, Trouble)
    assert "hush" not in str(raised.value)
    assert "/v1/token" not in emulator.counts()


def test_what_is_no_subject_token(fetch: Fetch, emulator: Emulator) -> None:
    with pytest.raises(gatepass.CredentialsError, match="TypeError") as raised:
        fetch(source_of(emulator, ours=lambda request: b"subject token"))
    assert str(raised.value.__cause__) == "the supplier gave bytes, expected str"
    with pytest.raises(gatepass.CredentialsError, match="empty subject token") as raised:
        fetch(source_of(emulator, ours=lambda request: ""))
    assert raised.value.__cause__ is None


def test_text_that_is_none_is_supplied_with_replacements(fetch: Fetch, emulator: Emulator) -> None:
    assert fetch(source_of(emulator, ours=lambda request: "\ud800"))


def test_many_callers_ask_it_once(emulator: Emulator) -> None:
    gate, ours = Gate(), Ours()

    async def held(request: gatepass.SubjectTokenRequest) -> str:
        await asyncio.to_thread(gate.hold)
        return ours.plain(request)

    async def fetch_all(source: gatepass.TokenSource, thread: Callable[[], Any]) -> set[str]:
        tasks = [asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source)) for _ in range(10)]
        await asyncio.to_thread(gate.wait_for, 1)
        joined = thread()
        gate.open()
        return {*await asyncio.gather(*tasks), await asyncio.wrap_future(joined)}

    source = source_of(emulator, ours=held)
    with ThreadPoolExecutor(1) as pool:
        tokens = asyncio.run(fetch_all(source, lambda: pool.submit(source.fetch_id_token, AUDIENCE)))
    assert len(tokens) == len(ours.requests) == 1


def test_the_event_loops_own_thread_may_wait_for_an_async_supplier(emulator: Emulator) -> None:
    ours = Ours()

    async def block_the_loop(source: gatepass.TokenSource) -> set[str]:
        flown = asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source))
        await asyncio.sleep(0)
        return {source.fetch_id_token(AUDIENCE), await asyncio.wait_for(flown, PATIENCE)}

    assert len(asyncio.run(block_the_loop(source_of(emulator, ours=ours.asynchronous)))) == 1
    assert len(ours.requests) == 1
