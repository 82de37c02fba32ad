"""The middlewares, over real HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

import gatepass
import gatepass.asgi
from gatepass._types import Preset
from gatepass.testing import Emulator
from receivers import RECEIVERS, Answers, Receiver, fastapi_receiver
from support import PATIENCE

AUDIENCE = "https://receiver.example"
CALLER = "caller@p.iam.gserviceaccount.com"


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest) -> Receiver:
    return RECEIVERS[request.param]


@pytest.fixture
def url(receiver: Receiver, emulator: Emulator) -> Iterator[str]:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, allowed_emails=[CALLER])
    with receiver(verifier, []) as url:
        yield url


@pytest.fixture(params=["view", "all"])
def guarded(url: str, request: pytest.FixtureRequest) -> str:
    return f"{url}/{request.param}/a"


def get(url: str, headers: Mapping[str, str | bytes]) -> requests.Response:
    return requests.get(url, headers=headers, timeout=30)


@pytest.mark.parametrize("header", ["Authorization", "X-Serverless-Authorization"])
def test_a_good_token(guarded: str, header: str, emulator: Emulator) -> None:
    token = emulator.mint(AUDIENCE, email=CALLER)
    answer = get(guarded, {header: f"Bearer {token}"})
    assert (answer.status_code, answer.json()) == (200, {"name": "a", "email": CALLER})


def test_a_view_without_a_guard_stays_open(url: str) -> None:
    assert get(f"{url}/open", {}).json() == {"claims": False}


def test_without_a_token(guarded: str) -> None:
    for headers in ({}, {"Authorization": "Basic a"}, {"Authorization": "Bearer"}):
        check_refusal(get(guarded, headers), 401, "TOKEN_MISSING")


def test_a_malformed_token(guarded: str) -> None:
    for token in ("a", "a.b.c", "a b", "caf\u00e9".encode()):
        value = b"Bearer " + token if isinstance(token, bytes) else f"Bearer {token}"
        check_refusal(get(guarded, {"Authorization": value}), 401, "TOKEN_MALFORMED")


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"claims": {"aud": "https://other.example"}}, 401, "BAD_AUDIENCE"),
    ({"issued_at": 1_700_000_000}, 401, "TOKEN_EXPIRED"),
    ({"strip_signature": True}, 401, "SIGNATURE_STRIPPED"),
    ({"claims": {"email": "other@p.iam.gserviceaccount.com"}}, 403, "EMAIL_NOT_ALLOWED"),
    ({"claims": {"email_verified": False}}, 403, "EMAIL_NOT_VERIFIED"),
]


@pytest.mark.parametrize(("order", "status", "code"), REFUSED, ids=[case[2] for case in REFUSED])
def test_a_bad_token(
    guarded: str,
    order: dict[str, Any],
    status: int,
    code: str,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    claims = {"aud": AUDIENCE, "email": CALLER, **order.get("claims", {})}
    token = emulator.mint(**{**order, "claims": claims})
    with caplog.at_level(logging.INFO):
        check_refusal(get(guarded, {"Authorization": f"Bearer {token}"}), status, code)
    messages = [record.getMessage() for record in caplog.records if record.name == "gatepass"]
    assert len(messages) == 1 and token not in caplog.text


def test_a_tampered_token(guarded: str, emulator: Emulator) -> None:
    header, _, signature = emulator.mint(AUDIENCE, email=CALLER).split(".")
    other = emulator.mint(claims={"aud": AUDIENCE, "email": CALLER, "sub": "1"}).split(".")[1]
    check_refusal(
        get(guarded, {"Authorization": f"Bearer {header}.{other}.{signature}"}),
        401,
        "BAD_SIGNATURE",
    )


def test_keys_that_cannot_be_had(guarded: str, emulator: Emulator) -> None:
    token = emulator.mint(AUDIENCE, email=CALLER)
    emulator.fault("/oauth2/v3/certs", status=404, body="")
    answer = get(guarded, {"Authorization": f"Bearer {token}"})
    check_refusal(answer, 503, "KEYS_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert get(guarded, {"Authorization": f"Bearer {token}"}).status_code == 200


SENDERS: list[tuple[str, Preset]] = [
    ("pubsub", "pubsub"),
    ("tasks", "cloud_tasks"),
    ("scheduler", "cloud_scheduler"),
    ("eventarc", "eventarc"),
]


@pytest.mark.parametrize(("sender", "preset"), SENDERS)
def test_what_googles_senders_send(
    receiver: Receiver, sender: str, preset: Preset, emulator: Emulator
) -> None:
    """The preset takes what its sender sends on behalf of this service account, and nothing else."""
    verifier = gatepass.Verifier(AUDIENCE, preset=preset, keys_url=emulator.keys_url, allowed_emails=CALLER)
    answers: Answers = []

    def delivered(*, email: str = CALLER, audience: str = AUDIENCE) -> bool:
        whom = ["--email", email, "--audience", audience, "--to", f"{url}/all/push"]
        return emulator.push("--as", sender, "--data", "hello", *whom)

    with receiver(verifier, answers) as url:
        assert delivered()
        assert not delivered(email="other@p.iam.gserviceaccount.com")
        assert not delivered(audience="https://other.example")
    assert answers == [(204, CALLER), (403, "EMAIL_NOT_ALLOWED"), (401, "BAD_AUDIENCE")]


def test_a_websocket(emulator: Emulator) -> None:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, allowed_emails=[CALLER])
    token = emulator.mint(AUDIENCE, email=CALLER)
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    with fastapi_receiver(verifier, []) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        connection.request("GET", "/all/socket", headers=handshake)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (401, {"error": "TOKEN_MISSING"})
        connection.close()
        connection.request("GET", "/all/socket", headers={**handshake, "Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-Caller"]) == (101, CALLER)
        connection.close()


def test_a_websocket_of_a_server_that_cannot_answer(emulator: Emulator) -> None:
    """It can close no more than the socket, before it is open."""
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    guard = gatepass.asgi.RequireIdToken(None, verifier)  # type: ignore[arg-type]
    asyncio.run(guard({"type": "websocket", "path": "/", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close"}]


def check_refusal(answer: requests.Response, status: int, code: str) -> None:
    assert (answer.status_code, json.loads(answer.text)) == (status, {"error": code})
    assert answer.headers["Content-Type"] == "application/json"
    if status == 401:
        # RFC 6750, section 3.1: no error code where there is no token.
        challenge = "Bearer" if code == "TOKEN_MISSING" else 'Bearer error="invalid_token"'
        assert answer.headers["WWW-Authenticate"] == challenge
