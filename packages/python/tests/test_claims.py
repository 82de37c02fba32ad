"""Claims: a dict that is shared, so that nobody can change it."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import gatepass
from gatepass.claims import from_json
from support import Emulator

AUDIENCE = "https://receiver.example"
MEMBERS = {"aud": ["a", "b"], "email": "a@p.example", "google": {"levels": [{"name": "x"}]}, "n": 1}

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


def claims() -> gatepass.Claims:
    return from_json(json.dumps(MEMBERS).encode(), False)


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


def test_more_tokens_than_are_kept() -> None:
    """Each gives its own claims, whatever was dropped in between."""
    key = ec.derive_private_key(1, ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": "a", **{n: url64(getattr(numbers, n)) for n in ("x", "y")}}
    verifier = gatepass.Verifier(
        AUDIENCE,
        preset=None,
        issuers="https://issuer.example",
        algorithms="ES256",
        keys={"keys": [jwk]},
        clock=lambda: 0,
    )

    def token(number: int) -> str:
        payload = {"iss": "https://issuer.example", "aud": AUDIENCE, "iat": 0, "exp": 60, "sub": str(number)}
        parts = [json.dumps(part).encode() for part in ({"alg": "ES256", "kid": "a"}, payload)]
        text = ".".join(url64(part) for part in parts)
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    tokens = [token(number) for number in range(4097)]
    for _ in range(2):
        subjects = [verifier.verify(token)["sub"] for token in tokens]
        assert subjects == [str(number) for number in range(4097)]


def url64(value: bytes | int) -> str:
    octets = value.to_bytes(32, "big") if isinstance(value, int) else value
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


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
    for target in (whole["aud"], whole["google"]["levels"]):
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
    assert whole == MEMBERS and isinstance(whole["aud"], list)
    assert json.loads(json.dumps(whole)) == MEMBERS
    assert repr(whole) == repr(MEMBERS)
    assert copy.copy(whole) is whole and copy.deepcopy(whole) is whole
    assert copy.deepcopy(whole["google"]) is whole["google"] and copy.copy(whole["aud"]) is whole["aud"]
    own = dict(whole)
    own["email"] = "b@p.example"
    assert whole["email"] == "a@p.example" and type(whole | {}) is dict


def test_they_survive_the_way_to_another_process() -> None:
    whole = pickle.loads(pickle.dumps(from_json(json.dumps(MEMBERS).encode(), True)))
    assert (whole, whole.is_unverified, type(whole)) == (MEMBERS, True, gatepass.Claims)
    with pytest.raises(TypeError):
        whole["google"]["levels"].append(1)


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
