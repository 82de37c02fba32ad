"""Fetching: from the metadata server and by key file, once for many, and what is said when it fails."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import gatepass
import gatepass.source
from gatepass import aio
from gatepass.testing import Emulator
from support import (
    ACCESS,
    IDENTITY,
    PATIENCE,
    Answer,
    Clock,
    Gate,
    Request,
    Server,
    metadata_server,
    until,
)

AUDIENCE = "https://orders-7f3kq2x4ca-uc.a.run.app"
EMAIL = "caller@orders-prod.iam.gserviceaccount.com"
METADATA = {"Metadata-Flavor": "Google"}


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_from_the_metadata_server(adc: Emulator) -> None:
    token = gatepass.fetch_id_token(AUDIENCE)
    assert claims_of(token)["aud"] == AUDIENCE
    assert gatepass.fetch_id_token(AUDIENCE) == token
    assert gatepass.fetch_access_token("https://www.googleapis.com/auth/cloud-platform")
    assert gatepass.fetch_access_token(["https://www.googleapis.com/auth/cloud-platform"])
    assert adc.counts() == {IDENTITY: 1, ACCESS: 1}


def test_from_the_metadata_server_with_asyncio(adc: Emulator) -> None:
    async def fetch() -> tuple[str, str, str]:
        first = await aio.fetch_id_token(AUDIENCE)
        assert await aio.id_token_header(AUDIENCE) == f"Bearer {first}"
        access = await aio.fetch_access_token()
        assert await aio.access_token_header() == f"Bearer {access}"
        return first, await aio.fetch_id_token(AUDIENCE), access

    first, second, access = asyncio.run(fetch())
    assert first == second == gatepass.fetch_id_token(AUDIENCE)
    assert access == gatepass.fetch_access_token()
    assert adc.counts() == {IDENTITY: 1, ACCESS: 1}


@pytest.mark.parametrize("form", ["file", "text", "object", "environment"])
def test_by_key_file(form: str, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = emulator.key_file(EMAIL)
    path = tmp_path / "key.json"
    path.write_text(text)
    trusted = emulator.url.removeprefix("http://")
    match form:
        case "file":
            source = gatepass.TokenSource(credentials_file=path, trusted_endpoints=trusted)
        case "text":
            source = gatepass.TokenSource(credentials_json=text, trusted_endpoints=[trusted])
        case "object":
            source = gatepass.TokenSource(credentials_json=json.loads(text), trusted_endpoints=(trusted,))
        case _:
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
            monkeypatch.setenv("GATEPASS_TRUSTED_ENDPOINTS", trusted)
            source = gatepass.TokenSource()
    token = source.fetch_id_token(AUDIENCE)
    assert source.id_token_header(AUDIENCE) == f"Bearer {token}"
    claims = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url).verify(token)
    assert (claims["email"], claims["aud"]) == (EMAIL, AUDIENCE)
    assert emulator.counts()["/token"] == 1


def test_a_service_account_signs_for_itself(emulator: Emulator) -> None:
    source = gatepass.TokenSource(
        credentials_json=emulator.key_file(EMAIL),
        self_signed_access_tokens=True,
        trusted_endpoints=emulator.url.removeprefix("http://"),
    )
    token = source.fetch_self_signed_jwt(AUDIENCE)
    assert (claims_of(token)["iss"], claims_of(token)["aud"]) == (EMAIL, AUDIENCE)
    assert asyncio.run(aio.fetch_self_signed_jwt(AUDIENCE, source=source)) == token
    assert claims_of(source.fetch_access_token("a"))["scope"] == "a"
    assert emulator.counts() == {}


def test_a_signature_needs_no_other_thread(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    source = gatepass.TokenSource(
        credentials_json=emulator.key_file(EMAIL),
        trusted_endpoints=emulator.url.removeprefix("http://"),
    )
    first = source.fetch_self_signed_jwt("https://orders.example/")  # After it the credentials are known.

    def no_thread(*_: object) -> None:
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    assert source.fetch_self_signed_jwt("https://stock.example/") != first
    asyncio.run(aio.fetch_self_signed_jwt("https://bills.example/", source=source))


def test_another_universe_is_trusted_if_it_is_named(emulator: Emulator) -> None:
    key = json.loads(emulator.key_file(EMAIL)) | {"universe_domain": "universe.example"}
    key["token_uri"] = "https://oauth2.universe.example/token"
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.TokenSource(credentials_json=key).fetch_self_signed_jwt(AUDIENCE)
    assert raised.value.code == "ENDPOINT_NOT_ALLOWED"
    source = gatepass.TokenSource(credentials_json=key, universe_domain="universe.example")
    assert claims_of(source.fetch_self_signed_jwt(AUDIENCE))["iss"] == EMAIL


def test_the_id_token_of_a_persons_login_is_given_if_it_is_asked_for(adc: Emulator, tmp_path: Path) -> None:
    options = ["--type", "authorized_user", "--email", "jane@example.com"]
    path = adc.write_key_file(tmp_path / "credentials.json", *options)
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.TokenSource(credentials_file=path).fetch_id_token(AUDIENCE)
    assert raised.value.code == "ID_TOKEN_UNSUPPORTED"
    client = json.loads(path.read_text())["client_id"]
    of_login = adc.mint(claims={"aud": client, "email": "jane@example.com"})
    answer = {"access_token": "a", "expires_in": 3600, "id_token": of_login}
    adc.fault("/token", status=200, body=answer)
    source = gatepass.TokenSource(credentials_file=path, allow_user_id_token=True)
    assert source.fetch_id_token(client) == of_login


def test_options_reach_the_core(adc: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.TokenSource(expect_type="service_account").fetch_id_token(AUDIENCE)
    assert raised.value.code == "CREDENTIALS_TYPE_UNEXPECTED"
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.TokenSource(subject="jane@example.com").fetch_access_token("a")
    assert raised.value.code == "SUBJECT_UNSUPPORTED"
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.TokenSource().fetch_self_signed_jwt(AUDIENCE)
    assert raised.value.code == "SELF_SIGNED_JWT_UNSUPPORTED"


def test_a_stale_token_is_used_while_it_is_refreshed(emulator: Emulator) -> None:
    clock, gate = Clock(), Gate()

    def answer(request: Request) -> Answer:
        if len(server.requests) > 1:
            gate.hold()
        return Answer(
            body=emulator.mint(claims={"aud": AUDIENCE}, issued_at=int(clock.now)), headers=METADATA
        )

    with metadata_server(answer) as server:
        source = gatepass.TokenSource(clock=clock)
        first = source.fetch_id_token(AUDIENCE)
        clock.now += 3500
        assert source.fetch_id_token(AUDIENCE) == first, "nobody waits for a refresh"
        gate.wait_for(1)
        assert source.fetch_id_token(AUDIENCE) == first, "nor does anybody refresh it twice"
        gate.open()
        until(lambda: source.fetch_id_token(AUDIENCE) != first)
        assert len(server.requests) == 2


def test_a_refresh_that_fails_is_nobodys_concern(emulator: Emulator) -> None:
    clock, gate = Clock(), Gate()

    def answer(request: Request) -> Answer:
        if len(server.requests) > 1:
            gate.hold()
            return Answer(status=404)
        return Answer(
            body=emulator.mint(claims={"aud": AUDIENCE}, issued_at=int(clock.now)), headers=METADATA
        )

    with metadata_server(answer) as server:
        source = gatepass.TokenSource(clock=clock)
        first = source.fetch_id_token(AUDIENCE)
        clock.now += 3500
        gate.open()
        assert source.fetch_id_token(AUDIENCE) == first
        gate.wait_for(1)
        until(lambda: not any(thread.name == "gatepass" for thread in threading.enumerate()))
        assert asyncio.run(aio.fetch_id_token(AUDIENCE, source=source)) == first
        clock.now += 100
        with pytest.raises(gatepass.CredentialsError) as raised:
            source.fetch_id_token(AUDIENCE)
        assert raised.value.code == "TOKEN_REFUSED"


def held_by(emulator: Emulator, gate: Gate) -> Callable[[Request], Answer]:
    """The emulator's own token, when the gate opens."""
    token = emulator.mint(claims={"aud": AUDIENCE})

    def answer(request: Request) -> Answer:
        gate.hold()
        return Answer(body=token, headers=METADATA)

    return answer


def test_a_hundred_threads_make_one_request(emulator: Emulator) -> None:
    gate, entered = Gate(), threading.Semaphore(0)
    with metadata_server(held_by(emulator, gate)) as server, ThreadPoolExecutor(100) as pool:
        source = gatepass.TokenSource()

        def fetch() -> str:
            entered.release()
            return source.fetch_id_token(AUDIENCE)

        callers = [pool.submit(fetch) for _ in range(100)]
        for _ in callers:
            assert entered.acquire(timeout=PATIENCE)
        gate.wait_for(1)
        gate.open()
        assert len({caller.result(PATIENCE) for caller in callers}) == 1
        assert len(server.requests) == 1


def test_a_thousand_tasks_make_one_request(emulator: Emulator) -> None:
    gate = Gate()

    async def fetch_all(source: gatepass.TokenSource) -> list[str]:
        callers = [asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source)) for _ in range(1000)]
        await asyncio.sleep(0)  # All have begun after one turn of the loop.
        gate.open()
        return await asyncio.gather(*callers)

    with metadata_server(held_by(emulator, gate)) as server:
        assert len(set(asyncio.run(fetch_all(gatepass.TokenSource())))) == 1
        assert len(server.requests) == 1


def test_threads_and_several_event_loops_share_one_flight(emulator: Emulator) -> None:
    gate, entered = Gate(), threading.Semaphore(0)

    async def several(source: gatepass.TokenSource) -> list[str]:
        callers = [asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source)) for _ in range(10)]
        await asyncio.sleep(0)
        entered.release()
        return await asyncio.gather(*callers)

    def one(source: gatepass.TokenSource) -> list[str]:
        entered.release()
        return [source.fetch_id_token(AUDIENCE)]

    with metadata_server(held_by(emulator, gate)) as server, ThreadPoolExecutor(20) as pool:
        source = gatepass.TokenSource()
        loops = [pool.submit(asyncio.run, several(source)) for _ in range(4)]
        threads = [pool.submit(one, source) for _ in range(16)]
        for _ in loops + threads:
            assert entered.acquire(timeout=PATIENCE)
        gate.open()
        tokens = [token for caller in loops + threads for token in caller.result(PATIENCE)]
        assert (len(tokens), len(set(tokens))) == (56, 1)
        assert len(server.requests) == 1


def test_a_flight_outlives_the_task_that_started_it(emulator: Emulator) -> None:
    gate = Gate()

    async def cancel_the_first(source: gatepass.TokenSource) -> list[str]:
        first = asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source))
        await asyncio.to_thread(gate.wait_for, 1)
        others = [asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source)) for _ in range(10)]
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gate.open()
        return await asyncio.gather(*others)

    with metadata_server(held_by(emulator, gate)) as server:
        assert len(set(asyncio.run(cancel_the_first(gatepass.TokenSource())))) == 1
        assert len(server.requests) == 1


def test_callers_whose_deadline_is_shorter_than_the_endpoint_takes_are_served(emulator: Emulator) -> None:
    """The first of them has given up before the answer comes; it is there for the next."""
    gate = Gate()

    async def give_up(source: gatepass.TokenSource) -> None:
        call = asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source))
        await asyncio.to_thread(gate.wait_for, 1)
        call.cancel()

    with metadata_server(held_by(emulator, gate)) as server:
        source = gatepass.TokenSource()
        for _ in range(3):  # Their event loops end, too.
            asyncio.run(give_up(source))
        gate.open()
        assert claims_of(source.fetch_id_token(AUDIENCE))["aud"] == AUDIENCE
        assert len(server.requests) == 1


def test_a_waiting_task_that_is_cancelled_leaves_the_others_be(emulator: Emulator) -> None:
    gate = Gate()

    async def cancel_the_second(source: gatepass.TokenSource) -> list[str]:
        callers = [asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source)) for _ in range(3)]
        await asyncio.to_thread(gate.wait_for, 1)
        callers[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await callers[1]
        gate.open()
        return [await callers[0], await callers[2]]

    with metadata_server(held_by(emulator, gate)) as server:
        assert len(set(asyncio.run(cancel_the_second(gatepass.TokenSource())))) == 1
        assert len(server.requests) == 1


def test_the_event_loops_own_thread_may_wait_for_a_task(emulator: Emulator) -> None:
    """A call that is not awaited, such as one by a library, joins a task's flight and blocks the task."""
    gate = Gate()

    async def block_the_loop(source: gatepass.TokenSource) -> set[str]:
        flown = asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source))
        await asyncio.sleep(0)
        gate.open()
        return {source.fetch_id_token(AUDIENCE), await flown}

    with metadata_server(held_by(emulator, gate)) as server:
        assert len(asyncio.run(block_the_loop(gatepass.TokenSource()))) == 1
        assert len(server.requests) == 1


def test_tasks_do_not_need_the_event_loops_own_threads(emulator: Emulator) -> None:
    """The loop's pool is full of threads that wait for a flight; the task that flies it does not need it."""
    gate = Gate()

    async def fill_the_pool(source: gatepass.TokenSource) -> list[str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        flown = asyncio.create_task(aio.fetch_id_token(AUDIENCE, source=source))
        await asyncio.sleep(0)
        joined = asyncio.create_task(asyncio.to_thread(source.fetch_id_token, AUDIENCE))
        await asyncio.sleep(0)
        gate.open()
        return await asyncio.wait_for(asyncio.gather(flown, joined), PATIENCE)

    with metadata_server(held_by(emulator, gate)) as server:
        assert len(set(asyncio.run(fill_the_pool(gatepass.TokenSource())))) == 1
        assert len(server.requests) == 1


# What is wrong with the file, its content or None for no file, the code, what the message names.
BAD_FILES = [
    ("missing", None, "CREDENTIALS_FILE_UNREADABLE", "does not exist"),
    ("not JSON", "private_key: HUSH", "CREDENTIALS_FILE_INVALID", "JSON"),
    ("no object", "[]", "CREDENTIALS_FILE_INVALID", "object"),
    (
        "unknown type",
        '{"type":"telepathy","private_key":"HUSH"}',
        "CREDENTIALS_TYPE_UNKNOWN",
        "telepathy",
    ),
    ("no type", '{"private_key":"HUSH"}', "CREDENTIALS_FILE_INVALID", "type"),
    (
        "no client_email",
        '{"type":"service_account","private_key":"HUSH"}',
        "CREDENTIALS_FILE_INVALID",
        "client_email",
    ),
    (
        "no key",
        '{"type":"service_account","client_email":"a@b","private_key":"HUSH"}',
        "CREDENTIALS_FILE_INVALID",
        "private_key",
    ),
    ("too large", " " * (1024 * 1024 + 1), "CREDENTIALS_FILE_UNREADABLE", "1 MiB"),
]


@pytest.mark.parametrize(
    ("content", "code", "named"),
    [case[1:] for case in BAD_FILES],
    ids=[case[0] for case in BAD_FILES],
)
def test_a_bad_credential_file(
    content: str | None, code: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials.json"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.fetch_id_token(AUDIENCE)
    assert raised.value.code == code
    message = str(raised.value)
    assert str(path) in message and named in message and "HUSH" not in message


def test_a_path_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/\udcff")
    with pytest.raises(gatepass.CredentialsError, match="does not exist"):
        gatepass.fetch_id_token(AUDIENCE)


def test_without_any_credentials_the_error_says_what_was_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Server(lambda request: Answer(status=200, body="a portal")) as portal:
        monkeypatch.setenv("GCE_METADATA_IP", portal.address)
        with pytest.raises(gatepass.CredentialsError) as raised:
            gatepass.fetch_id_token(AUDIENCE)
    assert raised.value.code == "CREDENTIALS_NOT_FOUND"
    for tried in ("GOOGLE_APPLICATION_CREDENTIALS is not set", "gcloud's file", portal.address):
        assert tried in str(raised.value)


def test_a_metadata_server_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(lambda request: Answer()) as server:
        address = server.address
    monkeypatch.setenv("GCE_METADATA_HOST", address)
    with pytest.raises(gatepass.TransportError) as raised:
        gatepass.fetch_id_token(AUDIENCE)
    assert raised.value.code == "CONNECTION_FAILED" and raised.value.retryable
    assert address in str(raised.value)


# What the token endpoint answers instead of a token, and the code.
BAD_ANSWERS = [
    ("HTML", {"status": 200, "body": "<html>Sign in</html>"}, "TOKEN_RESPONSE_INVALID"),
    ("nothing, four times", {"status": 200, "body": "", "times": 4}, "TOKEN_RESPONSE_INVALID"),
    ("10 MB", {"status": 200, "body_bytes": 10_000_000}, "RESPONSE_TOO_LARGE"),
    (
        "a redirect",
        {"status": 302, "headers": {"Location": "/elsewhere"}, "body": ""},
        "REDIRECT_REFUSED",
    ),
    ("a refusal", {"status": 400, "body": {"error": "invalid_grant"}}, "TOKEN_REFUSED"),
]


@pytest.mark.parametrize(
    ("fault", "code"), [case[1:] for case in BAD_ANSWERS], ids=[case[0] for case in BAD_ANSWERS]
)
def test_a_token_endpoint_that_answers_something_else(
    fault: dict[str, Any], code: str, emulator: Emulator
) -> None:
    source = gatepass.TokenSource(
        credentials_json=emulator.key_file(EMAIL),
        trusted_endpoints=emulator.url.removeprefix("http://"),
    )
    emulator.fault("/token", **fault)
    with pytest.raises(gatepass.GatepassError) as raised:
        source.fetch_id_token(AUDIENCE)
    assert raised.value.code == code
    assert "/elsewhere" not in emulator.counts()
    assert claims_of(source.fetch_id_token(AUDIENCE))["aud"] == AUDIENCE


def test_a_broken_connection_is_tried_again(emulator: Emulator) -> None:
    source = gatepass.TokenSource(
        credentials_json=emulator.key_file(EMAIL),
        trusted_endpoints=emulator.url.removeprefix("http://"),
    )
    emulator.fault("/token", drop=True)
    assert claims_of(source.fetch_id_token(AUDIENCE))["aud"] == AUDIENCE
    assert emulator.counts()["/token"] == 2


def test_an_outage_is_remembered_and_ends(emulator: Emulator) -> None:
    clock = Clock()
    source = gatepass.TokenSource(
        credentials_json=emulator.key_file(EMAIL),
        trusted_endpoints=emulator.url.removeprefix("http://"),
        clock=clock,
    )
    emulator.fault("/token", status=400, body={"error": "invalid_grant"}, times=2)
    for _ in range(5):
        with pytest.raises(gatepass.CredentialsError):
            source.fetch_id_token(AUDIENCE)
    assert emulator.counts()["/token"] == 2
    clock.now += 2
    assert claims_of(source.fetch_id_token(AUDIENCE))["aud"] == AUDIENCE


@pytest.mark.parametrize("audience", ["", " a", "a\nb", "\u200b"])
def test_an_audience_that_makes_no_sense(audience: str) -> None:
    with pytest.raises(gatepass.GatepassError) as raised:
        gatepass.fetch_id_token(audience)
    assert raised.value.code == "INVALID_AUDIENCE"


def test_tokens_in_hand_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gatepass.source, "MAX_HELD", 10)

    def answer(request: Request) -> Answer:
        return Answer(body='{"access_token":"a","expires_in":3600}', headers=METADATA)

    with metadata_server(answer) as server:
        source = gatepass.TokenSource()
        for number in range(12):
            source.fetch_access_token(f"scope-{number}")
        assert len(source._access_tokens) == 2
        assert len(server.requests) == 12
