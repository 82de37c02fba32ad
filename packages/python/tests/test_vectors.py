"""The vectors of tests/vectors, which every language reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gatepass
from gatepass import _native
from support import VECTORS

CORPUS = json.loads((VECTORS / "verify" / "attack_corpus.json").read_text())
CODES = json.loads((VECTORS / "verify" / "codes.json").read_text())


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: case["id"])
def test_verify(case: dict[str, Any]) -> None:
    email = case.get("opts", {}).get("email")
    verifier = gatepass.Verifier(
        CORPUS["profiles"][case["profile"]]["audience"],
        preset=case["profile"],
        keys=json.dumps(CORPUS["jwks"][case["jwks"]]),
        leeway_seconds=case["leeway"],
        allowed_emails=email or None,
        clock=lambda: case["now"],
    )
    if case["expected"] == "accept":
        payload = verifier.verify(case["token"])
        assert verifier.verify(case["token"]) == payload, "remembered, the token gives other claims"
        return
    with pytest.raises(gatepass.VerifyError) as refused:
        verifier.verify(case["token"])
    allowed = [code for reason in case["reasons"] for code in CODES[reason]]
    assert refused.value.code in allowed
    if case["token"].count(".") == 2:
        assert case["token"] not in str(refused.value) + repr(refused.value)


ALGORITHMS = json.loads((VECTORS / "algorithms" / "algorithms.json").read_text())


@pytest.mark.parametrize("case", ALGORITHMS["cases"], ids=lambda case: case["name"])
def test_algorithms(case: dict[str, Any]) -> None:
    verifier = gatepass.Verifier(
        ALGORITHMS["audience"],
        issuers=ALGORITHMS["issuer"],
        algorithms=case["algorithms"],
        keys=case["keys"],
        clock=lambda: ALGORITHMS["now"],
    )
    outcome = "accept"
    try:
        verifier.verify(case["token"])
    except gatepass.VerifyError as refused:
        outcome = refused.code
    assert outcome == case["expected"]


PRESETS = json.loads((VECTORS / "presets" / "presets.json").read_text())


@pytest.mark.parametrize("case", PRESETS["cases"], ids=lambda case: case["name"])
def test_presets(case: dict[str, Any]) -> None:
    outcome = "accept"
    try:
        gatepass.Verifier(
            case["audience"],
            preset=case["preset"],
            issuers=case["issuers"],
            algorithms=case["algorithms"],
            keys=PRESETS["keys"],
            clock=lambda: PRESETS["now"],
        ).verify(case["token"])
    except gatepass.GatepassError as refused:
        outcome = refused.code
    assert outcome == case["expected"]


EMULATOR = json.loads((VECTORS / "presets" / "emulator.json").read_text())


@pytest.mark.parametrize("case", EMULATOR["cases"], ids=lambda case: case["name"])
def test_presets_of_an_emulator(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EMULATOR["variables"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in case["environment"].items():
        monkeypatch.setenv(name, value)
    outcome, message = "accept", ""
    try:
        gatepass.Verifier(EMULATOR["audience"])
    except gatepass.GatepassError as refused:
        outcome, message = refused.code, str(refused)
    assert outcome == case["expected"]
    assert (case["found"] or "") in message


def cases(folder: str) -> list[Any]:
    files = [file for file in sorted((VECTORS / folder).glob("*.json")) if file.name != "schema.json"]
    assert files, f"there are no vectors in {folder}"
    read = [(file.stem, json.loads(file.read_text())["cases"]) for file in files]
    return [pytest.param(case, id=f"{stem}: {case['name']}") for stem, cases in read for case in cases]


@pytest.mark.parametrize("case", cases("acquire"))
def test_acquire(case: dict[str, Any]) -> None:
    source = _native.Source(case["options"])
    transcript = case["transcript"]
    status, *_, op = source.lookup(case["kind"], case["target"], *now(transcript[0], "now_ms"))
    assert status == "fetch" and op is not None
    for turn in transcript:
        check_step(op.resume(*now(turn, "now_ms"), turn["reply"]), turn["step"])


@pytest.mark.parametrize("case", cases("cache"))
def test_cache(case: dict[str, Any]) -> None:
    source = _native.Source(case["options"])
    ops: dict[str, _native.Op] = {}
    for event in case["events"]:
        match event["do"]:
            case "lookup":
                answer = source.lookup(event["kind"], event["target"], *now(event, "at_ms"))
                check_answer(answer, event["expect"], ops)
                if "op" in event:
                    assert answer[-1] is not None
                    ops[event["op"]] = answer[-1]
            case "resume":
                step = ops[event["op"]].resume(*now(event, "at_ms"), event["reply"])
                check_step(step, event["expect"])
            case "cancel":
                ops[event["op"]].cancel()
            case other:
                pytest.fail(f"unknown event {other}")


def now(moment: dict[str, Any], member: str) -> tuple[int, int]:
    """The readings of both clocks, which differ where a case says so."""
    return moment[member], moment.get("monotonic_ms", moment[member])


def check_answer(answer: tuple[Any, ...], expected: dict[str, Any], ops: dict[str, _native.Op]) -> None:
    status, header, *_, flight, op = answer
    assert status == expected["status"]
    if "header" in expected:
        assert header == expected["header"]
    if "refresh" in expected:
        assert (op is not None) == expected["refresh"]
    if "flight_of" in expected:
        assert flight == ops[expected["flight_of"]].flight


def check_step(step: dict[str, Any], expected: dict[str, Any]) -> None:
    if expected["step"] == "fail":
        assert step["step"] == "fail"
        assert {member: step["error"][member] for member in expected["error"]} == expected["error"]
    else:
        assert step == expected
