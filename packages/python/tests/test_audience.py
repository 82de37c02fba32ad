from __future__ import annotations

import asyncio

import pytest

import gatepass
from gatepass import aio
from gatepass.testing import Emulator
from support import Answer, Request, metadata_server

URL = "https://orders-418702934.europe-west1.run.app"


def facts(request: Request) -> Answer:
    assert request.headers["metadata-flavor"] == "Google"
    known = {
        "/computeMetadata/v1/project/numeric-project-id": "418702934",
        "/computeMetadata/v1/instance/region": "projects/418702934/regions/europe-west1",
    }
    return Answer(200, known[request.path], {"Metadata-Flavor": "Google"})


def test_both_spellings() -> None:
    assert gatepass.same_audience_spellings(URL) == [URL, URL + "/"]
    assert gatepass.same_audience_spellings(URL + "/") == [URL, URL + "/"]
    assert gatepass.same_audience_spellings("custom") == ["custom"]


def test_a_cloud_run_service_knows_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "orders")
    with metadata_server(facts) as server:
        assert gatepass.own_audiences() == [URL, URL + "/"]
        assert asyncio.run(aio.own_audiences()) == [URL, URL + "/"]
        assert len(server.requests) == 4


def test_they_are_what_a_verifier_takes(adc: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("K_SERVICE", "orders")
    audiences = gatepass.own_audiences()
    verifier = gatepass.Verifier(audiences, preset="cloud_run", any_caller=True, keys_url=adc.keys_url)
    for audience in audiences:
        assert verifier.verify(gatepass.fetch_id_token(audience))["aud"] == audience


def test_elsewhere_it_says_so() -> None:
    with pytest.raises(gatepass.GatepassError, match="K_SERVICE is not set") as raised:
        gatepass.own_audiences()
    assert raised.value.code == "INVALID_AUDIENCE"
    with pytest.raises(gatepass.GatepassError, match="K_SERVICE is not set"):
        asyncio.run(aio.own_audiences())
