"""Verifying with keys that are fetched."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import gatepass
import gatepass.verifier
from gatepass import aio
from gatepass._types import Preset
from gatepass.testing import Emulator
from support import PATIENCE, Answer, Clock, Gate, Request, Server, until

AUDIENCE = "https://receiver.example"
KEYS = "/oauth2/v3/certs"


def test_a_token_is_accepted_and_keys_are_fetched_once(emulator: Emulator) -> None:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
    tokens = [
        emulator.mint(claims={"aud": AUDIENCE, "email": f"{name}@p.iam.gserviceaccount.com"}) for name in "ab"
    ]
    emails = [verifier.verify(token)["email"] for token in tokens * 2]
    assert emails == ["a@p.iam.gserviceaccount.com", "b@p.iam.gserviceaccount.com"] * 2
    assert verifier.verify(tokens[0].encode())["aud"] == AUDIENCE
    assert asyncio.run(aio.verify(tokens[1], verifier=verifier))["aud"] == AUDIENCE
    assert emulator.counts() == {KEYS: 1}


def test_the_one_line_calls_share_a_verifier(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
    monkeypatch.setattr(gatepass.verifier, "_default", {AUDIENCE: verifier})
    token = emulator.mint(claims={"aud": AUDIENCE})
    assert gatepass.verify_id_token(token, audience=AUDIENCE)["aud"] == AUDIENCE
    assert asyncio.run(aio.verify_id_token(token, audience=AUDIENCE))["aud"] == AUDIENCE


def test_the_one_line_call_keeps_its_verifiers() -> None:
    for audience in (AUDIENCE, [AUDIENCE, "https://other.example"]):
        with pytest.raises(gatepass.VerifyError) as raised:
            gatepass.verify_id_token("a.b.c", audience)
        assert raised.value.code == "TOKEN_MALFORMED"
    assert list(gatepass.verifier._default) == [AUDIENCE, (AUDIENCE, "https://other.example")]
    with pytest.raises(gatepass.GatepassError, match="no audience is given"):
        gatepass.verify_id_token("a.b.c", None)  # type: ignore[arg-type]


# What is wrong, the order for the emulator, the code and the claim that the error names.
REFUSED: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("another audience", {"claims": {"aud": "https://other.example"}}, "BAD_AUDIENCE", "aud"),
    ("expired", {"issued_at": 1_700_000_000}, "TOKEN_EXPIRED", "exp"),
    ("another issuer", {"claims": {"iss": "https://evil.example"}}, "BAD_ISSUER", "iss"),
    ("unknown key", {"header": {"kid": "nobody's"}}, "UNKNOWN_KEY", "kid"),
    ("another algorithm", {"header": {"alg": "none"}}, "ALG_NOT_ALLOWED", "alg"),
    ("no subject", {"omit": ["sub"]}, "MISSING_CLAIM", "sub"),
    ("stripped", {"strip_signature": True}, "SIGNATURE_STRIPPED", None),
]


@pytest.mark.parametrize(
    ("order", "code", "claim"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_token_is_refused(order: dict[str, Any], code: str, claim: str | None, emulator: Emulator) -> None:
    order = {**order, "claims": {"aud": AUDIENCE, **order.get("claims", {})}}
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(emulator.mint(**order))
    assert (raised.value.code, raised.value.claim) == (code, claim)


@pytest.mark.parametrize(
    "token", ["", "a", "\0.\0.\0", "\ud800.a.b", b"\xff.\xff.\xff", "\u2603" * 9, "a." * 9999]
)
def test_what_is_no_token_is_refused(token: str | bytes) -> None:
    with pytest.raises(gatepass.VerifyError) as raised:
        gatepass.verify_id_token(token, AUDIENCE)
    assert raised.value.code in ("TOKEN_MISSING", "TOKEN_MALFORMED", "TOKEN_TOO_LARGE")


def test_identity_aware_proxy(emulator: Emulator) -> None:
    audience = "/projects/1/global/backendServices/2"
    verifier = gatepass.Verifier(audience, preset="iap", keys_url=f"{emulator.url}/iap/verify/public_key-jwk")
    token = emulator.mint(key="iap", claims={"aud": audience, "iss": "https://cloud.google.com/iap"})
    headers = {"X-Goog-IAP-JWT-Assertion": token, "Authorization": "Bearer other"}
    assert verifier.verify(verifier.token_from_headers(headers))["aud"] == audience


def test_any_other_issuer_and_keys_that_are_given(emulator: Emulator) -> None:
    with urllib.request.urlopen(emulator.keys_url, timeout=PATIENCE) as response:
        keys = json.load(response)
    verifier = gatepass.Verifier(
        any_audience=True,
        issuers="https://idp.example",
        algorithms=["RS256"],
        keys=keys,
    )
    token = emulator.mint(claims={"aud": "anybody", "iss": "https://idp.example"})
    assert verifier.verify(token)["aud"] == "anybody"


def test_callers_who_are_not_on_the_list(emulator: Emulator) -> None:
    verifier = gatepass.Verifier(
        AUDIENCE, keys_url=emulator.keys_url, allowed_emails="a@p.iam.gserviceaccount.com"
    )
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(emulator.mint(claims={"aud": AUDIENCE, "email": "b@p.iam.gserviceaccount.com"}))
    assert (raised.value.code, raised.value.refusal.status) == ("EMAIL_NOT_ALLOWED", 403)
    token = emulator.mint(
        claims={"aud": AUDIENCE, "email": "a@p.iam.gserviceaccount.com", "email_verified": False}
    )
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(token)
    assert raised.value.code == "EMAIL_NOT_VERIFIED"


def test_callers_by_subject(emulator: Emulator) -> None:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, allowed_subjects=["1", "2"])
    assert verifier.verify(emulator.mint(claims={"aud": AUDIENCE, "sub": "2"}))["sub"] == "2"
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(emulator.mint(claims={"aud": AUDIENCE, "sub": "3"}))
    assert (raised.value.code, raised.value.refusal.status) == ("SUBJECT_NOT_ALLOWED", 403)


SENDERS: list[Preset] = ["cloud_run", "pubsub", "cloud_tasks", "cloud_scheduler", "eventarc"]


@pytest.mark.parametrize("preset", SENDERS)
def test_who_may_call_is_said_or_left_open_by_a_word(preset: Preset, emulator: Emulator) -> None:
    nobody: list[dict[str, Any]] = [{}, {"allowed_emails": []}, {"allowed_subjects": ""}]
    for callers in nobody:
        with pytest.raises(gatepass.GatepassError) as raised:
            gatepass.Verifier(AUDIENCE, preset=preset, **callers)
        assert raised.value.code == "INVALID_OPTION"
    verifier = gatepass.Verifier(AUDIENCE, preset=preset, any_caller=True, keys_url=emulator.keys_url)
    assert verifier.verify(emulator.mint(claims={"aud": AUDIENCE}))["aud"] == AUDIENCE


def test_firebase(emulator: Emulator) -> None:
    verifier = gatepass.Verifier("my-project", preset="firebase", keys_url=emulator.keys_url)
    issuer = "https://securetoken.google.com/"
    token = emulator.mint(claims={"aud": "my-project", "iss": issuer + "my-project"})
    assert verifier.verify(token)["iss"] == issuer + "my-project"
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(emulator.mint(claims={"aud": "my-project", "iss": issuer + "other"}))
    assert raised.value.code == "BAD_ISSUER"


def test_any_issuer_by_its_discovery_document(emulator: Emulator) -> None:
    """A real one is in tests/interop/python."""

    def answer(request: Request) -> Answer:
        assert request.path == "/.well-known/openid-configuration"
        return Answer(body=json.dumps(document))

    with Server(answer) as server:
        document: dict[str, Any] = {
            "issuer": "https://evil.example",
            "jwks_uri": emulator.keys_url,
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        verifier = gatepass.Verifier(AUDIENCE, preset="oidc", issuers=server.url)
        token = emulator.mint(claims={"aud": AUDIENCE, "iss": server.url})
        with pytest.raises(gatepass.VerifyError) as raised:
            verifier.verify(token)
        assert (raised.value.code, raised.value.refusal.status) == ("DISCOVERY_INVALID", 503)
        document["issuer"] = server.url
        verifier = gatepass.Verifier(AUDIENCE, preset="oidc", issuers=server.url)
        assert verifier.verify(token)["iss"] == server.url
        assert asyncio.run(aio.verify(token, verifier=verifier))["iss"] == server.url
        assert len(server.requests) == 2
    assert emulator.counts() == {KEYS: 1}


def test_a_remembered_token_still_expires(emulator: Emulator) -> None:
    clock = Clock()
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, clock=clock)
    token = emulator.mint(claims={"aud": AUDIENCE})
    verifier.verify(token)
    clock.now += 3600 + 31
    with pytest.raises(gatepass.VerifyError, match="exp"):
        verifier.verify(token)


def test_keys_that_cannot_be_had(emulator: Emulator) -> None:
    token = emulator.mint(claims={"aud": AUDIENCE})
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
    emulator.fault(KEYS, status=404, body="")
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(token)
    assert (raised.value.code, raised.value.refusal.status) == ("KEYS_UNAVAILABLE", 503)
    assert verifier.verify(token)["aud"] == AUDIENCE


def test_a_hundred_threads_and_tasks_fetch_keys_once(emulator: Emulator) -> None:
    gate, entered = Gate(), threading.Semaphore(0)
    tokens = [emulator.mint(claims={"aud": AUDIENCE, "nonce": str(number)}) for number in range(10)]

    def answer(request: Request) -> Answer:
        gate.hold()
        with urllib.request.urlopen(emulator.keys_url, timeout=PATIENCE) as response:
            return Answer(body=response.read())

    async def verify_all(verifier: gatepass.Verifier) -> list[Any]:
        callers = [asyncio.create_task(aio.verify(token, verifier=verifier)) for token in tokens * 5]
        await asyncio.sleep(0)
        entered.release()
        return await asyncio.gather(*callers)

    def verify(token: str) -> list[Any]:
        entered.release()
        return [verifier.verify(token)]

    with Server(answer) as server, ThreadPoolExecutor(52) as pool:
        verifier = gatepass.Verifier(AUDIENCE, keys_url=server.url)
        callers = [pool.submit(verify, token) for token in tokens * 5]
        callers += [pool.submit(asyncio.run, verify_all(verifier)) for _ in range(2)]
        for _ in callers:
            assert entered.acquire(timeout=PATIENCE)
        gate.wait_for(1)
        gate.open()
        claims = [one for caller in callers for one in caller.result(PATIENCE)]
        assert [one["aud"] for one in claims] == [AUDIENCE] * 150
        assert len(server.requests) == 1


def test_a_flight_for_keys_outlives_the_task_that_started_it(emulator: Emulator) -> None:
    gate = Gate()
    token = emulator.mint(claims={"aud": AUDIENCE})

    def answer(request: Request) -> Answer:
        gate.hold()
        with urllib.request.urlopen(emulator.keys_url, timeout=PATIENCE) as response:
            return Answer(body=response.read())

    async def cancel_the_first(verifier: gatepass.Verifier) -> Any:
        first = asyncio.create_task(aio.verify(token, verifier=verifier))
        await asyncio.to_thread(gate.wait_for, 1)
        second = asyncio.create_task(aio.verify(token, verifier=verifier))
        await asyncio.sleep(0)
        assert list(verifier._keys.flights._waiting) == [1]
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gate.open()
        return await second

    with Server(answer) as server:
        claims = asyncio.run(cancel_the_first(gatepass.Verifier(AUDIENCE, keys_url=server.url)))
        assert claims["aud"] == AUDIENCE
        assert len(server.requests) == 1


def test_keys_are_refreshed_behind_the_caller(emulator: Emulator) -> None:
    clock, gate = Clock(), Gate()
    gate.open()
    keys = urllib.request.urlopen(emulator.keys_url, timeout=PATIENCE).read()

    def answer(request: Request) -> Answer:
        gate.hold()
        return Answer(body=keys, headers={"Cache-Control": "max-age=1000"})

    with Server(answer) as server:
        verifier = gatepass.Verifier(AUDIENCE, keys_url=server.url, clock=clock)
        token = emulator.mint(claims={"aud": AUDIENCE})
        verifier.verify(token)
        clock.now += 900
        assert verifier.verify(token)["aud"] == AUDIENCE
        until(lambda: len(server.requests) == 2)


def test_a_clock_that_raises_leaves_nobody_waiting(emulator: Emulator) -> None:
    token = emulator.mint(claims={"aud": AUDIENCE})
    for fault in range(1, 7):
        left = [0]

        def clock(left: list[int] = left) -> float:
            left[0] -= 1
            if left[0] == 0:
                raise RuntimeError("a fault of the clock")
            return time.time()

        verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, clock=clock)
        left[0] = fault
        with ThreadPoolExecutor() as pool:
            # The first error is kept, and with it whatever its frames hold.
            first = pool.submit(verifier.verify, token).exception(PATIENCE)
            second = pool.submit(verifier.verify, token).exception(PATIENCE)
        assert [type(one) for one in (first, second) if one] in ([RuntimeError], []), (first, second)
