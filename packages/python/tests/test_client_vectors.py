"""The attack corpus of the fetching side (tests/vectors/client), through the package and real HTTP."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

import gatepass
from support import VECTORS, Answer, Clock, Request, Server

[FILE] = [file for file in (VECTORS / "client").glob("*.json") if file.name != "schema.json"]
CORPUS = json.loads(FILE.read_text())
KEY_FILE = json.loads(CORPUS["cases"][0]["input"])
AUDIENCE = "https://orders-7f3kq2x4ca-uc.a.run.app"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# Reasons of the corpus, and the error codes that stand for each.
CODES = {
    "bad_endpoint": ["ENDPOINT_NOT_ALLOWED"],
    "bad_source": ["CREDENTIALS_FILE_INVALID", "EXECUTABLE_NOT_ALLOWED"],
    "bad_file": ["CREDENTIALS_FILE_INVALID", "CREDENTIALS_TYPE_UNKNOWN"],
    "bad_audience_argument": ["INVALID_AUDIENCE"],
}
# Seconds before its end at which a token is still handed out, but not much longer.
LAST_MOMENTS = 11


def cases(*kinds: str) -> Any:
    found = [case for case in CORPUS["cases"] if case["kind"] in kinds]
    return pytest.mark.parametrize("case", found, ids=[f"{case['id']} {case['name']}" for case in found])


def test_no_case_is_left_out() -> None:
    kinds = {"credential_file", "audience", "token_response", "redirect", "metadata_response"}
    assert {case["kind"] for case in CORPUS["cases"]} == kinds | {"jwks_response", "header_value"}
    assert len(CORPUS["cases"]) == CORPUS["count"]


class Stage:
    """A server that gives one answer to the first request and refuses all others, and that is the proxy by
    which anything else would be reached; a clock at the corpus's moment; a record of what was waited for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.now = float(CORPUS["base_now"])
        self.waits: list[float] = []
        self.first = Answer(404)
        self.server = Server(self._answer)
        self.requests = self.server.requests

    def _answer(self, request: Request) -> Answer:
        return self.first if len(self.requests) == 1 else Answer(404)

    def by_key_file(self) -> gatepass.TokenSource:
        return gatepass.TokenSource(
            credentials_json={**KEY_FILE, "token_uri": f"{self.server.url}/token"},
            trusted_endpoints=self.server.address,
            clock=self.clock,
        )


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage()
    monkeypatch.setattr(time, "sleep", stage.waits.append)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, stage.server.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with stage.server:
        yield stage


@cases("credential_file")
def test_a_credential_file(case: dict[str, Any], stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value)
    code = None
    try:
        source = gatepass.TokenSource(credentials_json=case["input"], clock=stage.clock)
        source.fetch_access_token(SCOPE)
    except gatepass.GatepassError as error:
        code = error.code
    if case["expected"] == "accept":  # What the file leads to is out of reach here.
        assert code not in {code for codes in CODES.values() for code in codes}
        assert stage.requests or code in (None, "SUBJECT_TOKEN_FAILED")
    else:
        assert code in CODES[case["reason"]]
        assert stage.requests == []


@cases("audience")
def test_an_audience(case: dict[str, Any], stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", stage.server.address)
    with pytest.raises(gatepass.GatepassError) as raised:
        gatepass.TokenSource().fetch_id_token(case["input"])
    if case["expected"] == "accept":
        assert f"?{case['wire']}&" in stage.requests[0].path
    else:
        assert raised.value.code in CODES[case["reason"]]
        assert stage.requests == []


@cases("token_response", "redirect")
def test_an_answer_of_the_token_endpoint(case: dict[str, Any], stage: Stage) -> None:
    kind = "access_token" if "access_token" in case.get("body", "") else "id_token"
    check_outcome(case, stage, stage.by_key_file(), kind)


@cases("metadata_response")
def test_an_answer_of_the_metadata_server(
    case: dict[str, Any], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", stage.server.address)
    check_outcome(case, stage, gatepass.TokenSource(clock=stage.clock), "id_token")


def check_outcome(case: dict[str, Any], stage: Stage, source: gatepass.TokenSource, kind: str) -> None:
    headers = dict(case.get("headers", {}))
    if case.get("location"):
        headers["location"] = case["location"]
    stage.first = Answer(case["status"], case.get("body", ""), headers)

    def fetch(at: float) -> str:
        stage.clock.now = at
        return source.fetch_id_token(AUDIENCE) if kind == "id_token" else source.fetch_access_token(SCOPE)

    def check_failure() -> str:
        with pytest.raises(gatepass.GatepassError) as raised:
            fetch(stage.clock.now)
        return str(raised.value)

    now = stage.clock.now
    match case["expected"]:
        case "token":
            assert fetch(now) in case["body"]
            assert fetch(case["expires_at"] - LAST_MOMENTS) in case["body"]
            stage.clock.now = case["expires_at"]
            check_failure()
        case "token_clamped" | "token_short":
            assert fetch(now) in case["body"]
            stage.clock.now = now + (43_200 if case["expected"] == "token_clamped" else 300)
            check_failure()
        case "retry" | "retry_after_7":
            check_failure()
            assert len(stage.requests) == 2
            assert stage.waits == [7] if case["expected"] == "retry_after_7" else len(stage.waits) == 1
        case "fail" | "fail_no_secret_in_message":
            message = check_failure()
            assert "eyJ" not in message and "ya29" not in message
            assert (len(stage.requests), stage.waits) == (1, [])
        case other:
            pytest.fail(f"unknown outcome {other}")


@cases("jwks_response")
def test_an_answer_of_the_issuer(case: dict[str, Any], stage: Stage) -> None:
    """While the keys live, and for a day after, a token that none of them has signed is refused at once."""
    stage.first = Answer(case["status"], case["body"], case["headers"])
    verifier = gatepass.Verifier(any_audience=True, keys_url=stage.server.url, clock=stage.clock)

    def refused(kid: str, at: float) -> tuple[str, int]:
        stage.clock.now = at
        header = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).decode()
        with pytest.raises(gatepass.VerifyError) as raised:
            verifier.verify(f"{header.rstrip('=')}.e30.{'AAAA' * 86}")
        return raised.value.code, len(stage.requests)

    now = stage.clock.now
    if case["expected"] == "keep_old_keys":
        assert refused("a", now) == ("KEYS_UNAVAILABLE", 1)
        return
    keys = json.loads(case["body"])
    kids = [key["kid"] for key in keys["keys"] if "kid" in key] if "keys" in keys else list(keys)
    assert refused(kids[0], now) == ("BAD_SIGNATURE", 1)
    end = now + case["expected"]["ttl"] + 86_400
    answers = [refused(kid, end - 0.001) for kid in kids]
    assert answers == [("BAD_SIGNATURE", 1)] * case["expected"]["keys"]
    assert refused(kids[0], end)[1] == 2


@cases("header_value")
def test_a_token_as_a_headers_value(case: dict[str, Any], stage: Stage) -> None:
    source = stage.by_key_file()
    stage.first = Answer(body=json.dumps({"access_token": case["input"], "expires_in": 3599}))
    if case["expected"] == "accept":
        assert source.access_token_header(SCOPE) == f"Bearer {case['input']}"
        return
    with pytest.raises(gatepass.GatepassError) as raised:
        source.access_token_header(SCOPE)
    assert not case["input"] or case["input"] not in str(raised.value)
