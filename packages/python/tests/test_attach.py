"""Clients that attach tokens, against a real server."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
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

    def call(self, url: str, auth: Any, headers: Any = None, body: Any = None) -> int:
        return requests.request(
            "POST" if body else "GET", url, auth=auth, headers=headers, data=body, timeout=30
        ).status_code


class WithHttpx:
    module: Any = gatepass.httpx

    def call(self, url: str, auth: Any, headers: Any = None, body: Any = None) -> int:
        with httpx.Client(auth=auth, follow_redirects=True) as client:
            method = "POST" if body else "GET"
            return client.request(method, url, headers=headers, content=body).status_code


class WithHttpxAsync:
    module: Any = gatepass.httpx

    def call(self, url: str, auth: Any, headers: Any = None, body: Any = None) -> int:
        async def get() -> int:
            async with httpx.AsyncClient(auth=auth, follow_redirects=True) as client:
                method = "POST" if body else "GET"
                return (await client.request(method, url, headers=headers, content=body)).status_code

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


BOTH = ["authorization", "x-serverless-authorization"]


@pytest.mark.parametrize("token_header", [*BOTH, "both"])
def test_the_header_that_bears_the_token(
    token_header: str, library: Library, receiver: Server, adc: Emulator
) -> None:
    names = BOTH if token_header == "both" else [token_header]
    auth = library.module.IdTokenAuth(token_header=token_header)
    # The application's own stays, unless the token goes there.
    assert library.call(receiver.url, auth, {"Authorization": "Basic own"}) == 204
    token = f"Bearer {gatepass.fetch_id_token(receiver.url)}"
    sent = [receiver.requests[0].headers.get(name) for name in BOTH]
    assert sent == [token if "authorization" in names else "Basic own", token if BOTH[1] in names else None]


@pytest.mark.parametrize("token_header", [*BOTH, "both"])
def test_no_header_is_sent_on_to_another_place(
    token_header: str, library: Library, receiver: Server, adc: Emulator
) -> None:
    elsewhere = receiver.url.replace("127.0.0.1", "localhost")
    with Server(lambda request: Answer(302, headers={"Location": elsewhere})) as redirecting:
        auth = library.module.IdTokenAuth(token_header=token_header)
        assert library.call(redirecting.url, auth) == 204
    assert set(BOTH) & set(redirecting.requests[0].headers)
    assert not set(BOTH) & set(receiver.requests[0].headers)


@pytest.mark.parametrize("audience", [None, "https://receiver.example"])
def test_no_token_travels_over_plain_http(audience: str | None, library: Library, adc: Emulator) -> None:
    for auth in (library.module.IdTokenAuth(audience), library.module.AccessTokenAuth(SCOPES)):
        with pytest.raises(gatepass.GatepassError, match="http"):
            library.call("http://plain.example/", auth)
    assert adc.counts() == {}


def test_a_token_travels_over_plain_http_where_that_is_allowed(
    library: Library, receiver: Server, adc: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, receiver.url)
    auth = library.module.IdTokenAuth("https://receiver.example", allow_plain_http=True)
    assert library.call("http://plain.example/", auth) == 204
    assert receiver.requests[0].headers["authorization"].startswith("Bearer ")


class Receiver:
    """Refuses the first token that it gets, or all, with this status."""

    def __init__(self, status: int = 401, *, refuses_all: bool = False) -> None:
        self.status = status
        self.refuses_all = refuses_all
        self.tokens: list[str] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: Request) -> Answer:
        self.tokens.append(request.headers["authorization"])
        self.bodies.append(request.body)
        refused = self.refuses_all or self.tokens[-1] == self.tokens[0]
        return Answer(self.status if refused else 204)


@pytest.mark.parametrize("kind", ["IdTokenAuth", "AccessTokenAuth"])
@pytest.mark.parametrize("body", [None, b"body"])
def test_a_401_is_answered_with_another_token_once(
    kind: str, body: Any, library: Library, adc: Emulator
) -> None:
    receiver = Receiver()
    adc.fault(IDENTITY if kind == "IdTokenAuth" else ACCESS, lifetime=3000)  # The second differs from it.
    with Server(receiver) as server:
        auth = getattr(library.module, kind)(source=gatepass.TokenSource())
        assert library.call(server.url, auth, body=body) == 204
        assert library.call(server.url, auth) == 204
    assert len(receiver.tokens) == 3 and receiver.tokens[1] == receiver.tokens[2]
    assert receiver.bodies[:2] == [body or b""] * 2


def test_the_content_of_a_file_is_sent_again_from_where_it_began(adc: Emulator) -> None:
    receiver, file = Receiver(), io.BytesIO(b"head and body")
    file.seek(9)
    adc.fault(IDENTITY, lifetime=3000)
    with Server(receiver) as server:
        auth = gatepass.requests.IdTokenAuth(source=gatepass.TokenSource())
        assert WithRequests().call(server.url, auth, body=file) == 204
    assert receiver.bodies == [b"body"] * 2


@pytest.mark.parametrize(("status", "requests_seen"), [(401, 2), (403, 1), (503, 1)])
def test_a_refusal_that_stays_is_given_to_the_caller(
    status: int, requests_seen: int, library: Library, adc: Emulator
) -> None:
    receiver = Receiver(status, refuses_all=True)
    with Server(receiver) as server:
        auth = library.module.IdTokenAuth(source=gatepass.TokenSource())
        assert library.call(server.url, auth) == status
        assert len(receiver.tokens) == requests_seen
        # Within the minute no further token is asked for.
        assert library.call(server.url, auth) == status
        assert len(receiver.tokens) == requests_seen + 1


def test_a_body_that_is_made_while_it_is_sent_is_not_sent_again(library: Library, adc: Emulator) -> None:
    receiver = Receiver()

    def parts() -> Iterator[bytes]:
        yield b""

    async def parts_async() -> AsyncIterator[bytes]:
        yield b""

    with Server(receiver) as server:
        auth = library.module.IdTokenAuth(source=gatepass.TokenSource())
        made = parts_async() if isinstance(library, WithHttpxAsync) else parts()
        assert library.call(server.url, auth, body=made) == 401
    assert len(receiver.tokens) == 1


def test_who_writes_a_client_replaces_a_refused_token(adc: Emulator) -> None:
    source = gatepass.TokenSource()
    adc.fault(IDENTITY, lifetime=3000)  # The second differs from it.
    first = source.fetch_id_token("https://receiver.example")
    assert source.invalidate_id_token("https://receiver.example", first)
    second = source.fetch_id_token("https://receiver.example")
    assert second != first
    assert not source.invalidate_id_token("https://receiver.example", second)  # Within the minute.
    assert source.invalidate_id_token("https://receiver.example", first)  # A newer one is there.
    assert source.fetch_id_token("https://receiver.example") == second
    access = source.fetch_access_token(SCOPES)
    assert source.invalidate_access_token(SCOPES, access)


def test_a_token_that_is_refused_while_others_receive_it_is_not_kept(adc: Emulator) -> None:
    source, audience = gatepass.TokenSource(), "https://receiver.example"
    late = source._fetch("id_token", audience)
    next(late).result(30)  # It is there; whoever has asked for it has not looked yet.
    first = source.fetch_id_token(audience)
    assert source.invalidate_id_token(audience, first)
    with pytest.raises(StopIteration) as end:
        while True:
            next(late).result(30)
    assert end.value.value[3] == first
    assert source._warm("id_token", audience) is None
