from __future__ import annotations

import json
import urllib.request

import pytest

import gatepass
from gatepass.testing import Emulator
from support import PATIENCE, Clock

AUDIENCE = "https://svc-abc-uc.a.run.app"


def keys_of(emulator: Emulator) -> str:
    with urllib.request.urlopen(emulator.keys_url, timeout=PATIENCE) as response:
        return str(response.read().decode())


def test_all_that_is_wrong_is_found_and_what_to_do(emulator: Emulator) -> None:
    token = emulator.mint(claims={"aud": AUDIENCE + "/", "email": "a@p.iam.gserviceaccount.com"})
    explanation = gatepass.explain(
        f" Bearer {token}\n",
        audience=AUDIENCE,
        keys=keys_of(emulator),
        allowed_emails="b@p.iam.gserviceaccount.com",
        header="Authorization",
    )
    assert (explanation.accepted, explanation.kind) == (False, "google_id_token")
    assert explanation.claims["aud"] == [AUDIENCE + "/"]
    codes = {finding.code: finding for finding in explanation.findings if finding.level == "error"}
    assert {"BAD_AUDIENCE", "EMAIL_NOT_ALLOWED"} <= set(codes)
    audience = codes["BAD_AUDIENCE"]
    assert (audience.cause, AUDIENCE in audience.todo) == ("trailing_slash", True)
    assert str(explanation) == explanation.text
    assert all(finding.title in explanation.text for finding in explanation.findings)
    assert token not in repr(explanation) + str(explanation)


def test_without_keys_the_signature_stays_open(emulator: Emulator) -> None:
    token = emulator.mint(claims={"aud": AUDIENCE})
    open_to = gatepass.explain(token, url=f"{AUDIENCE}/path")
    assert open_to.accepted is None
    assert "signature_not_checked" in [finding.cause for finding in open_to.findings]
    assert gatepass.explain(token, audience=[AUDIENCE], keys=json.loads(keys_of(emulator))).accepted is True
    assert emulator.counts() == {"/oauth2/v3/certs": 1}, "more than this test's own"


def test_a_text_of_another_kind() -> None:
    secret = "ya29.a0" + "x" * 40
    explanation = gatepass.explain(secret, preset="pubsub")
    assert (explanation.accepted, explanation.kind) == (False, "access_token")
    assert secret not in repr(explanation)
    for text in ("", "\ud800", "a\0b", "é.é.é"):
        assert gatepass.explain(text).accepted is False


def test_options_that_make_no_sense() -> None:
    with pytest.raises(gatepass.GatepassError) as raised:
        gatepass.explain("token", url="http://a.example")
    assert raised.value.code == "INVALID_AUDIENCE"
    with pytest.raises(gatepass.GatepassError, match="expected one of google, cloud_run") as raised:
        gatepass.explain("token", preset="gogle")  # type: ignore[arg-type]
    assert raised.value.code == "INVALID_OPTION"
    with pytest.raises(gatepass.GatepassError, match="unknown field `audiance`"):
        gatepass.explain("token", audiance="a")  # type: ignore[call-arg]


def test_a_verifier_explains_with_its_clock_and_the_keys_that_it_has(emulator: Emulator) -> None:
    clock = Clock()
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, clock=clock)
    token = emulator.mint(claims={"aud": AUDIENCE})
    assert verifier.explain(token).accepted is None
    verifier.verify(token)
    assert verifier.explain(token).accepted is True
    other = verifier.explain(token, url="https://other.example/", header="X-Other")
    assert {"url", "header"} <= {word for finding in other.findings for word in ("url", "header")}
    clock.now += 7200
    assert [finding.code for finding in verifier.explain(token).findings] == ["TOKEN_EXPIRED"]
