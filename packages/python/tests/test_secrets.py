"""Nothing that is shown shows a token or a key."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

import gatepass
import gatepass.flask
import gatepass.httpx
import gatepass.requests
from gatepass import _native, _threads
from support import Answer, Emulator, metadata_server

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
        verifier._native,
        source._flights,
        gatepass.requests.IdTokenAuth(source=source),
        gatepass.httpx.IdTokenAuth(source=source),
        gatepass.flask.RequireIdToken(verifier),
    ]
    for one in shown:
        text = repr(one) + str(one) + str(getattr(one, "__dict__", ""))
        assert token not in text and token.split(".")[2] not in text
    assert not hasattr(source, "__dict__") and not hasattr(verifier, "__dict__")


def test_an_operation_and_its_future_show_nothing() -> None:
    _, *_, op = _native.Source('{"seed":1}').lookup("id_token", AUDIENCE, 0)
    assert op is not None
    assert repr(op).startswith("<gatepass._native.Op object")
    future = _threads.in_thread(lambda: "hush")
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
