"""Arguments of the wrong type are named, in a TypeError, as Python's own functions do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import gatepass
import gatepass.httpx
import gatepass.requests
from gatepass import aio
from tokens import AUDIENCE, verifier_at_zero

# What users pass in place of a string, and what must not be shown.
WRONG = [None, 7, b"bytes", ["https://a.example"], {"a": "hush"}, object()]

source = gatepass.TokenSource(credentials_json="{}")

STRINGS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "fetch_id_token": ("audience", source.fetch_id_token),
    "id_token_header": ("audience", source.id_token_header),
    "fetch_id_token_info": ("audience", source.fetch_id_token_info),
    "fetch_self_signed_jwt": ("audience", source.fetch_self_signed_jwt),
    "invalidate": ("audience", lambda value: source.invalidate_id_token(value, "token")),
    "invalidate, token": ("token", lambda value: source.invalidate_id_token(AUDIENCE, value)),
    "invalidate, access token": ("token", lambda value: source.invalidate_access_token("scope", value)),
    "module": ("audience", gatepass.fetch_id_token),
    "asyncio": ("audience", lambda value: asyncio.run(aio.fetch_id_token(value, source=source))),
    "audience_for_url": ("url", gatepass.audience_for_url),
    "same_audience_spellings": ("audience", gatepass.same_audience_spellings),
    "verify": ("token", lambda value: verifier_at_zero().verify(value)),
    "verify, asyncio": ("token", lambda value: asyncio.run(aio.verify(value, verifier=verifier_at_zero()))),
    "explain": ("token", lambda value: gatepass.explain(value)),
    "explain of a verifier": ("token", lambda value: verifier_at_zero().explain(value)),
}


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("what", STRINGS)
def test_what_is_no_string(what: str, value: Any) -> None:
    name, call = STRINGS[what]
    if isinstance(value, bytes) and what.startswith("verify"):
        with pytest.raises(gatepass.VerifyError):  # A token may be bytes.
            call(value)
        return
    with pytest.raises(TypeError, match=name) as raised:
        call(value)
    assert "hush" not in str(raised.value)


def test_an_await_that_is_missing() -> None:
    fetching = aio.fetch_id_token(AUDIENCE, source=source)
    with pytest.raises(TypeError, match=r"token is coroutine, expected str or bytes: is an await missing\?"):
        verifier_at_zero().verify(fetching)  # type: ignore[arg-type]
    fetching.close()


OPTIONS: dict[str, list[Any]] = {
    "audience": [7, b"a", [None], [b"a"], object()],
    "issuers": [7, [7]],
    "algorithms": [7, [None]],
    "allowed_emails": [7, b"a", [None]],
    "allowed_subjects": [7, [7]],
    "preset": [7, b"google", ["google"]],
    "keys": [7, b"{}", [1]],
    "keys_url": [7, b"https://a.example"],
    "leeway_seconds": ["10", 1.5, True],
    "remembered_bytes": ["10", 1.5],
    "any_audience": [1, "no"],
    "any_caller": [1, "no"],
    "trust_cloud_run_and_skip_signature": [1, "no"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in OPTIONS.items() for v in values])
def test_an_option_of_a_verifier(name: str, value: Any) -> None:
    for make in (gatepass.Verifier, lambda **options: gatepass.explain("a.b.c", **options)):
        options: dict[str, Any] = {"audience": AUDIENCE, name: value}
        with pytest.raises(TypeError, match=name):
            make(**options)


SOURCE_OPTIONS: dict[str, list[Any]] = {
    "credentials_file": [7, ["a"]],
    "credentials_json": [7, b"{}", ["a"]],
    "impersonate": [7, b"a", ["a"]],
    "delegates": [7, [None]],
    "subject": [7],
    "self_signed_access_tokens": [1],
    "gdch_audience": [7],
    "allow_user_id_token": ["no"],
    "expect_type": [7],
    "quota_project_id": [7],
    "universe_domain": [7],
    "trusted_endpoints": [7, [7]],
    "suppliers": [7, ["a"]],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in SOURCE_OPTIONS.items() for v in values])
def test_an_option_of_a_source(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(TypeError, match=name):
        gatepass.TokenSource(**options)


def test_a_supplier_that_is_no_function() -> None:
    with pytest.raises(TypeError, match="the supplier 'ours' is str, expected a function"):
        gatepass.TokenSource(suppliers={"ours": "token"})  # type: ignore[dict-item]


@pytest.mark.parametrize("module", [gatepass.requests, gatepass.httpx])
def test_an_option_of_a_client(module: Any) -> None:
    for name, value in {"audience": 7, "source": "a", "token_header": 7, "allow_plain_http": 1}.items():
        with pytest.raises(TypeError, match=name):
            module.IdTokenAuth(**{name: value})
    with pytest.raises(TypeError, match="scopes"):
        module.AccessTokenAuth(7)
    with pytest.raises(TypeError, match="scopes"):
        source.fetch_access_token([None])  # type: ignore[list-item]


def test_every_option_is_in_these_tables() -> None:
    """A new one cannot be forgotten."""
    verifier = set(gatepass.Verifier.__new__.__kwdefaults__ or {}) | {"audience"}
    assert verifier - {"clock"} == set(OPTIONS)
    made = set(gatepass.TokenSource.__new__.__kwdefaults__ or {})
    assert made - {"clock"} == set(SOURCE_OPTIONS)
