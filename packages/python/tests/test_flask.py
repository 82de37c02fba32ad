"""The Flask middleware, over real HTTP."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import flask
import pytest
import requests
from werkzeug.serving import make_server

import gatepass
import gatepass.flask
from gatepass._types import Preset
from support import Emulator

AUDIENCE = "https://receiver.example"
CALLER = "caller@p.iam.gserviceaccount.com"


def application(verifier: gatepass.Verifier) -> flask.Flask:
    app = flask.Flask("receiver")
    id_token = gatepass.flask.RequireIdToken(verifier)

    @app.get("/view/<name>")
    @id_token
    def view(name: str) -> dict[str, Any]:
        return {"name": name, "email": flask.g.claims["email"]}

    @app.get("/open")
    def unguarded() -> dict[str, Any]:
        return {"claims": "claims" in flask.g}

    guarded = flask.Blueprint("guarded", "receiver")
    guarded.before_request(id_token.check)

    @guarded.get("/blueprint/<name>")
    def inside(name: str) -> dict[str, Any]:
        return {"name": name, "email": flask.g.claims["email"]}

    app.register_blueprint(guarded)
    return app


@contextmanager
def serving(app: flask.Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def url(emulator: Emulator) -> Iterator[str]:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, allowed_emails=[CALLER])
    with serving(application(verifier)) as url:
        yield url


@pytest.fixture(params=["view", "blueprint"])
def guarded(url: str, request: pytest.FixtureRequest) -> str:
    return f"{url}/{request.param}/a"


def get(url: str, headers: dict[str, str | bytes]) -> requests.Response:
    return requests.get(url, headers=headers, timeout=30)


@pytest.mark.parametrize("header", ["Authorization", "X-Serverless-Authorization"])
def test_a_good_token(guarded: str, header: str, emulator: Emulator) -> None:
    token = emulator.mint(claims={"aud": AUDIENCE, "email": CALLER})
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
    header, _, signature = emulator.mint(claims={"aud": AUDIENCE, "email": CALLER}).split(".")
    other = emulator.mint(claims={"aud": AUDIENCE, "email": CALLER, "sub": "1"}).split(".")[1]
    check_refusal(
        get(guarded, {"Authorization": f"Bearer {header}.{other}.{signature}"}),
        401,
        "BAD_SIGNATURE",
    )


def test_keys_that_cannot_be_had(guarded: str, emulator: Emulator) -> None:
    token = emulator.mint(claims={"aud": AUDIENCE, "email": CALLER})
    emulator.fault(path="/oauth2/v3/certs", status=404, body="")
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
def test_what_googles_senders_send(sender: str, preset: Preset, emulator: Emulator) -> None:
    """The preset takes what its sender sends on behalf of this service account, and nothing else."""
    app = flask.Flask("receiver")
    verifier = gatepass.Verifier(AUDIENCE, preset=preset, keys_url=emulator.keys_url, allowed_emails=CALLER)
    app.before_request(gatepass.flask.RequireIdToken(verifier).check)
    answers: list[tuple[int, str | None]] = []

    @app.post("/push")
    def push() -> tuple[str, int]:
        assert flask.request.get_data()
        return "", 204

    @app.after_request
    def note(response: flask.Response) -> flask.Response:
        refused = json.loads(response.get_data() or "{}")
        answers.append((response.status_code, refused.get("error") or flask.g.claims["email"]))
        return response

    def delivered(*, email: str = CALLER, audience: str = AUDIENCE) -> bool:
        whom = ["--email", email, "--audience", audience, "--to", f"{url}/push"]
        return emulator.push("--as", sender, "--data", "hello", *whom)

    with serving(app) as url:
        assert delivered()
        assert not delivered(email="other@p.iam.gserviceaccount.com")
        assert not delivered(audience="https://other.example")
    assert answers == [(204, CALLER), (403, "EMAIL_NOT_ALLOWED"), (401, "BAD_AUDIENCE")]


def check_refusal(answer: requests.Response, status: int, code: str) -> None:
    assert (answer.status_code, json.loads(answer.text)) == (status, {"error": code})
    assert answer.headers["Content-Type"] == "application/json"
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
