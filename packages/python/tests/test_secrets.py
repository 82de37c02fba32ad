"""Nothing that is shown shows a token or a key."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import pytest

import gatepass
import gatepass.flask
import gatepass.httpx
import gatepass.requests
from gatepass import _native
from gatepass._driver import steps as driver
from gatepass._driver import suppliers, threads
from gatepass.testing import Emulator
from leaks import secrets_in, secrets_of, shown_by
from support import VECTORS, Answer, metadata_server

AUDIENCE = "https://receiver.example"


def test_no_object_shows_a_token(adc: Emulator) -> None:
    source = gatepass.TokenSource()
    token = source.fetch_id_token(AUDIENCE)
    verifier = gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url)
    verifier.verify(token)
    shown = [
        source,
        verifier,
        source._native,
        source._flights,
        gatepass.requests.IdTokenAuth(source=source),
        gatepass.requests.AccessTokenAuth(source=source),
        gatepass.httpx.IdTokenAuth(source=source),
        gatepass.httpx.AccessTokenAuth(source=source),
        gatepass.flask.RequireIdToken(verifier),
    ]
    for one in shown:
        text = repr(one) + str(one) + str(getattr(one, "__dict__", ""))
        assert token not in text and token.split(".")[2] not in text
    assert not hasattr(source, "__dict__") and not hasattr(verifier, "__dict__")


def test_an_operation_and_its_future_show_nothing() -> None:
    _, *_, op = _native.Source({"seed": 1}).lookup("id_token", AUDIENCE, 0, 0)
    assert op is not None
    assert repr(op).startswith("<gatepass._native.Op object")
    future = threads.in_thread(lambda: "hush")
    assert future.result(30) == "hush"
    assert "hush" not in repr(future)


@pytest.mark.parametrize("what", ["an answer", "a file"])
def test_no_frame_of_an_error_holds_what_was_read(what: str, emulator: Emulator) -> None:
    """Error reporters send the variables of every frame."""
    if what == "an answer":
        with metadata_server(lambda request: Answer(body="hush", headers={"Metadata-Flavor": "Google"})):
            variables = variables_of_failing(gatepass.TokenSource())
    else:
        key = json.loads(emulator.key_file("a@p.iam.gserviceaccount.com")) | {"private_key": "hush"}
        variables = variables_of_failing(gatepass.TokenSource(credentials_json=key))
    assert "hush" not in variables


def variables_of_failing(source: gatepass.TokenSource) -> str:
    try:
        source.fetch_id_token(AUDIENCE)
    except gatepass.GatepassError as error:
        frames: list[dict[str, Any]] = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert len(frames) > 3
        return str(frames)
    raise AssertionError("it did not fail")


def test_a_leak_would_be_found() -> None:
    body = {"error": {"message": "said openly"}, "access_token": "opaque-access-token", "id_token": "a.b.c"}
    replies = [
        {"reply": "response", "body": json.dumps(body)},
        {"reply": "text", "text": "-----BEGIN PRIVATE KEY-----\nfirst-line-of-a-key\n"},
        {"reply": "response", "status": 403, "body": "denied in plain words to eyJhbGciOiJub25lIn0.e30.c2ln"},
        {"reply": "env", "values": {"AWS_SECRET_ACCESS_KEY": "secret-of-a-variable", "AWS_REGION": "a" * 16}},
    ]
    secrets = {secret for reply in replies for secret in secrets_of(reply)}
    assert {"opaque-access-token", "first-line-of-a-key", "secret-of-a-variable"} <= secrets
    assert "eyJhbGciOiJub25lIn0.e30.c2ln" in secrets
    assert not [
        secret for secret in secrets if "said openly" in secret or "words" in secret or secret == "a" * 16
    ]
    for where in ("message", "cause", "refusal"):
        error = gatepass.GatepassError("secret" if where == "message" else "")
        error.__cause__ = ValueError("secret") if where == "cause" else None
        error.refusal.body = "secret" if where == "refusal" else ""
        assert "secret" in shown_by(error)


def failing_transcripts() -> list[Any]:
    files = sorted((VECTORS / "acquire").glob("*.json"))
    cases = [case for file in files for case in json.loads(file.read_text()).get("cases", [])]
    failing = [case for case in cases if case["transcript"][-1]["step"]["step"] == "fail"]
    return [pytest.param(case, id=case["name"]) for case in failing]


@pytest.mark.parametrize("case", failing_transcripts())
def test_no_error_of_a_transcript_shows_what_the_core_was_told(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    moments = iter([(turn["now_ms"], turn["now_ms"]) for turn in case["transcript"]])
    replies = iter([turn["reply"] for turn in case["transcript"][1:]])
    monkeypatch.setattr(driver, "perform", lambda step: next(replies))
    monkeypatch.setattr(suppliers, "supply", lambda step, known: (next(replies), None))
    caplog.set_level(logging.DEBUG)
    first_ms = case["transcript"][0]["now_ms"]
    *_, op = _native.Source(case["options"]).lookup(case["kind"], case["target"], first_ms, first_ms)
    assert op is not None
    with pytest.raises(gatepass.GatepassError) as raised:
        driver.drive(op, lambda: next(moments), {})
    assert raised.value.code == case["transcript"][-1]["step"]["error"]["code"]

    secrets = set(secrets_in(case["options"].get("credentials_json") or ""))
    for turn in case["transcript"]:
        secrets |= secrets_of(turn["reply"])
    shown = shown_by(raised.value) + caplog.text
    assert [secret for secret in secrets if secret in shown] == []
