from __future__ import annotations

import pickle
from typing import Any, get_args

import pytest

import gatepass
from gatepass import _native, _types
from gatepass.errors import error_from

CORE = _native.error_codes()
CLASSES = {
    "usage": gatepass.GatepassError,
    "credentials": gatepass.CredentialsError,
    "transport": gatepass.TransportError,
    "verify": gatepass.VerifyError,
}


def test_the_list_of_codes_is_the_cores() -> None:
    assert list(get_args(_types.ErrorCode)) == [entry["code"] for entry in CORE]


def test_the_names_in_the_types_are_the_cores() -> None:
    options: list[tuple[Any, dict[str, Any]]] = [
        (_types.Preset, {"preset": "none of them"}),
        (_types.Algorithm, {"algorithms": ["none of them"]}),
    ]
    for names, option in options:
        with pytest.raises(gatepass.GatepassError) as raised:
            gatepass.Verifier("a", **option)
        assert f", expected one of {', '.join(get_args(names))} (" in str(raised.value)


@pytest.mark.parametrize("entry", CORE, ids=lambda entry: entry["code"])
def test_a_code_has_the_class_of_its_family(entry: dict[str, Any]) -> None:
    error = error_from(fields(code=entry["code"], kind=entry["kind"]))
    assert type(error) is CLASSES[entry["kind"]]


def test_an_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(error_from(fields(claim="exp", retryable=True))))
    assert (type(error), error.code, error.retryable, error.claim) == (
        gatepass.VerifyError,
        "TOKEN_EXPIRED",
        True,
        "exp",
    )
    assert str(error) == "too late"
    refusal = error.refusal
    assert (refusal.status, refusal.headers, refusal.body) == (401, [("A", "b")], "{}")
    status = error.grpc_status
    assert (status.code, status.message[:13], status.details) == (16, "TOKEN_EXPIRED", b"\x08\x10")


def test_an_option_that_makes_no_sense_is_named() -> None:
    with pytest.raises(gatepass.GatepassError, match="no audience is given") as raised:
        gatepass.Verifier()
    assert (raised.value.code, type(raised.value)) == ("INVALID_OPTION", gatepass.GatepassError)
    with pytest.raises(gatepass.GatepassError, match="both credentials_file and credentials_json"):
        gatepass.TokenSource(credentials_file="a", credentials_json={})
    with pytest.raises(gatepass.GatepassError, match="delegates are given without impersonate"):
        gatepass.TokenSource(delegates="a@p.iam.gserviceaccount.com")
    with pytest.raises(gatepass.GatepassError, match="leeway_seconds"):
        gatepass.Verifier("a", leeway_seconds=3601)


def fields(**changed: Any) -> dict[str, Any]:
    refusal = {"status": 401, "headers": [["A", "b"]], "body": "{}"}
    return {
        "code": "TOKEN_EXPIRED",
        "kind": "verify",
        "message": "too late",
        "retryable": False,
        "claim": None,
        "reason": None,
        "found": None,
        "expected": None,
        "claimed_email": None,
        "refusal": refusal,
        "grpc": {"code": 16, "message": "TOKEN_EXPIRED: fetch a new token", "details": "CBA="},
        "grpc_call_code": 16,
        **changed,
    }
