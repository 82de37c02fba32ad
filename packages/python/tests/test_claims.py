"""Claims: a dict that is shared, so that nobody can change it."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

import gatepass
from gatepass.claims import UnverifiedClaims
from gatepass.testing import Emulator
from tokens import AUDIENCE, CLAIMS, token_of, verifier_at_zero

MEMBERS: dict[str, Any] = {
    **CLAIMS,
    "aud": [AUDIENCE, "b"],
    "email": 'caf\u00e9 \U0001f511 \0 " \\',
    "google": {"levels": [{"name": "x"}, {}, [], [[]], None, True, False]},
    "numbers": [-1, 0.1, 1e300, 2**64 - 1, -(2**63), 1.0],
}

# A call of each method that changes a dict or a list.
DICT_CALLS: dict[str, tuple[Any, ...]] = {
    "__delitem__": ("aud",),
    "__ior__": ({},),
    "__setitem__": ("aud", "c"),
    "clear": (),
    "pop": ("aud",),
    "popitem": (),
    "setdefault": ("x", 1),
    "update": ({},),
}
LIST_CALLS: dict[str, tuple[Any, ...]] = {
    "__delitem__": (0,),
    "__iadd__": (["c"],),
    "__imul__": (2,),
    "__setitem__": (0, "c"),
    "append": ("c",),
    "clear": (),
    "extend": (["c"],),
    "insert": (0, "c"),
    "pop": (),
    "remove": ("a",),
    "reverse": (),
    "sort": (),
}


def test_a_token_that_comes_again_gives_the_same_object(emulator: Emulator) -> None:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
    tokens = [
        emulator.mint(claims={"aud": AUDIENCE, **more}) for more in ({}, {"google": {"zone": "a"}}, {"n": 2})
    ]
    first = [verifier.verify(token) for token in tokens]
    assert [verifier.verify(token.encode()) for token in tokens] == first
    assert all(verifier.verify(token) is one for token, one in zip(tokens, first, strict=True))
    assert len({id(one) for one in first}) == 3
    assert not any(one.is_unverified for one in first)


def test_each_of_many_tokens_gives_its_own_claims() -> None:
    verifier = verifier_at_zero()
    tokens = [token_of(sub=str(number)) for number in range(1000)]
    for _ in range(2):
        subjects = [verifier.verify(token)["sub"] for token in tokens]
        assert subjects == [str(number) for number in range(1000)]


@pytest.mark.parametrize("name", DICT_CALLS)
def test_an_object_cannot_be_changed(name: str) -> None:
    whole = claims()
    for target in (whole, whole["google"]):
        untouched = dict(target)
        with pytest.raises(TypeError, match="claims cannot be changed"):
            getattr(target, name)(*DICT_CALLS[name])
        assert target == untouched


@pytest.mark.parametrize("name", LIST_CALLS)
def test_an_array_cannot_be_changed(name: str) -> None:
    whole = claims()
    for target in (whole["aud"], whole["google"]["levels"], whole["google"]["levels"][3]):
        untouched = list(target)
        with pytest.raises(TypeError, match="claims cannot be changed"):
            getattr(target, name)(*LIST_CALLS[name])
        assert target == untouched


@pytest.mark.parametrize(("kind", "calls"), [(dict, DICT_CALLS), (list, LIST_CALLS)])
def test_no_method_that_changes_is_left_out(kind: type, calls: dict[str, Any]) -> None:
    """What else there is leaves an instance as it was, or makes a new one."""
    others = set(dir(kind)) - set(dir(object)) - set(calls)
    harmless = {"__class_getitem__", "__contains__", "__getitem__", "__iter__", "__len__", "__reversed__"}
    harmless |= {"__or__", "__ror__", "copy", "fromkeys", "get", "items", "keys", "values"}
    harmless |= {"__add__", "__mul__", "__rmul__", "count", "index"}
    assert others <= harmless


def test_they_are_a_dict_in_all_else() -> None:
    whole = claims()
    assert whole == MEMBERS and list(whole) == list(MEMBERS) and isinstance(whole["aud"], list)
    assert json.loads(json.dumps(whole)) == MEMBERS
    assert repr(whole) == repr(MEMBERS)
    assert [type(number) for number in whole["numbers"]] == [int, float, float, int, int, float]
    assert copy.copy(whole) is whole and copy.deepcopy(whole) is whole
    assert copy.deepcopy(whole["google"]) is whole["google"] and copy.copy(whole["aud"]) is whole["aud"]
    own = dict(whole)
    own["email"] = "b@p.example"
    assert whole["email"] == MEMBERS["email"] and type(whole | {}) is dict


def test_they_survive_the_way_to_another_process() -> None:
    for whole in (claims(), UnverifiedClaims(claims())):
        other = pickle.loads(pickle.dumps(whole))
        assert (other, type(other), other.is_unverified) == (MEMBERS, type(whole), whole.is_unverified)
        with pytest.raises(TypeError):
            other["google"]["levels"].append(1)


def test_what_nothing_proves_says_so(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {
        "preset": "cloud_run",
        "any_caller": True,
        "keys_url": emulator.keys_url,
        "trust_cloud_run_and_skip_signature": True,
    }
    with pytest.raises(gatepass.GatepassError, match="K_SERVICE is not set") as raised:
        gatepass.Verifier(AUDIENCE, **options)
    assert raised.value.code == "INVALID_OPTION"
    monkeypatch.setenv("K_SERVICE", "receiver")
    verifier = gatepass.Verifier(AUDIENCE, **options)
    whole = emulator.mint(claims={"aud": AUDIENCE})
    stripped = whole.rpartition(".")[0] + ".SIGNATURE_REMOVED_BY_GOOGLE"
    for _ in range(2):
        assert verifier.verify(stripped).is_unverified
        assert not verifier.verify(whole).is_unverified
    assert verifier.verify(stripped) == verifier.verify(whole)
    assert repr(verifier.verify(stripped)).startswith("unverified {")
    with pytest.raises(TypeError):
        verifier.verify(stripped)["email"] = "a@p.example"
    with pytest.raises(AttributeError):
        verifier.verify(stripped).is_unverified = False  # type: ignore[misc]


def claims() -> gatepass.Claims:
    return verifier_at_zero().verify(token_of(**MEMBERS))
