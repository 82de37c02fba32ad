"""Clients that attach tokens, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import httpx
import pytest
import requests

import gatepass
import gatepass.httpx
import gatepass.requests
from gatepass.testing import Emulator
from support import ACCESS, IDENTITY, Answer, Request, Server

SCOPES = ["https://www.googleapis.com/auth/cloud-platform", "email"]


class WithRequests:
    module: Any = gatepass.requests

    def call(self, url: str, auth: Any) -> int:
        return requests.get(url, auth=auth, timeout=30).status_code


class WithHttpx:
    module: Any = gatepass.httpx

    def call(self, url: str, auth: Any) -> int:
        with httpx.Client(auth=auth, follow_redirects=True) as client:
            return client.get(url).status_code


class WithHttpxAsync:
    module: Any = gatepass.httpx

    def call(self, url: str, auth: Any) -> int:
        async def get() -> int:
            async with httpx.AsyncClient(auth=auth, follow_redirects=True) as client:
                return (await client.get(url)).status_code

        return asyncio.run(get())


Library: TypeAlias = WithRequests | WithHttpx | WithHttpxAsync
Get: TypeAlias = Callable[[str, str | None, gatepass.TokenSource | None], int]


@pytest.fixture(params=[WithRequests, WithHttpx, WithHttpxAsync])
def library(request: pytest.FixtureRequest) -> Library:
    made: Library = request.param()
    return made


@pytest.fixture
def get(library: Library) -> Get:
    """Calls a URL with an ID token."""
    return lambda url, audience, source: library.call(
        url, library.module.IdTokenAuth(audience, source=source)
    )


@pytest.fixture
def receiver() -> Iterator[Server]:
    with Server(lambda request: Answer(204)) as server:
        yield server


def test_the_audience_comes_from_the_url(get: Get, receiver: Server, adc: Emulator) -> None:
    assert get(f"{receiver.url}/path?query=1", None, None) == 204
    assert audience_of(adc, receiver.requests[0]) == receiver.url


def test_the_audience_is_given(get: Get, receiver: Server, adc: Emulator) -> None:
    assert get(receiver.url, "https://receiver.example", None) == 204
    assert audience_of(adc, receiver.requests[0]) == "https://receiver.example"


def test_one_token_serves_many_calls(get: Get, receiver: Server, adc: Emulator) -> None:
    source = gatepass.TokenSource()
    for _ in range(3):
        get(receiver.url, None, source)
    assert len({request.headers["authorization"] for request in receiver.requests}) == 1
    assert adc.counts() == {IDENTITY: 1}


def test_a_redirect_to_another_place_gets_no_token(get: Get, receiver: Server, adc: Emulator) -> None:
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    with Server(lambda request: Answer(302, headers={"Location": elsewhere})) as redirecting:
        assert get(redirecting.url, None, None) == 204
    assert "authorization" in redirecting.requests[0].headers
    assert "authorization" not in receiver.requests[0].headers


def test_without_a_token_nothing_is_sent(
    get: Get, receiver: Server, adc: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    adc.fault(IDENTITY, status=404)
    with pytest.raises(gatepass.CredentialsError):
        get(receiver.url, None, gatepass.TokenSource())
    with pytest.raises(gatepass.GatepassError, match="audience is empty"):
        get(receiver.url, "", None)
    with pytest.raises(gatepass.GatepassError, match="http://"):
        get("http://receiver.example", None, None)
    assert receiver.requests == []


def test_an_access_token(library: Library, receiver: Server, adc: Emulator) -> None:
    source = gatepass.TokenSource()
    token = source.fetch_access_token(SCOPES)
    for auth in (library.module.AccessTokenAuth(SCOPES, source=source), library.module.AccessTokenAuth()):
        assert library.call(receiver.url, auth) == library.call(receiver.url, auth) == 204
    sent = [request.headers["authorization"] for request in receiver.requests]
    assert sent == [f"Bearer {token}"] * 2 + [f"Bearer {gatepass.fetch_access_token()}"] * 2
    assert adc.counts() == {ACCESS: 2}


def test_the_project_that_is_billed_goes_with_an_access_token(
    library: Library, receiver: Server, adc: Emulator
) -> None:
    source = gatepass.TokenSource(quota_project_id="billed")
    assert library.call(receiver.url, library.module.AccessTokenAuth(SCOPES, source=source)) == 204
    headers = source.access_token_headers(SCOPES)
    assert headers == {
        "Authorization": source.access_token_header(SCOPES),
        "x-goog-user-project": "billed",
    }
    assert {name: receiver.requests[0].headers[name.lower()] for name in headers} == headers


def test_an_access_token_is_not_sent_on(library: Library, receiver: Server, adc: Emulator) -> None:
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    with Server(lambda request: Answer(302, headers={"Location": elsewhere})) as redirecting:
        assert library.call(redirecting.url, library.module.AccessTokenAuth(iter(SCOPES))) == 204
    assert "authorization" in redirecting.requests[0].headers
    assert "authorization" not in receiver.requests[0].headers


def test_the_audience_for_a_url() -> None:
    assert (
        gatepass.audience_for_url("https://tag---svc-abc-uc.a.run.app/a?b") == "https://svc-abc-uc.a.run.app"
    )
    with pytest.raises(gatepass.GatepassError) as raised:
        gatepass.audience_for_url("svc-abc-uc.a.run.app")
    assert raised.value.code == "INVALID_AUDIENCE"


def audience_of(emulator: Emulator, request: Request) -> Any:
    """The audience of the token that the receiver got, which it verifies."""
    verifier = gatepass.Verifier(any_audience=True, keys_url=emulator.keys_url)
    return verifier.verify(verifier.token_from_headers({"Authorization": request.headers["authorization"]}))[
        "aud"
    ]
