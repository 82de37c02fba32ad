"""Pickling and copying: the options travel, and no token does."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import requests

import gatepass
import gatepass.asgi
import gatepass.flask
import gatepass.httpx
import gatepass.requests
from gatepass.testing import Emulator
from tokens import AUDIENCE, token_of, verifier_at_zero

EMAIL = "a@p.iam.gserviceaccount.com"

WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return WAYS[request.param]


def test_a_source(way: Callable[[Any], Any], adc: Emulator) -> None:
    source = gatepass.TokenSource(
        credentials_json=adc.key_file(EMAIL), trusted_endpoints=iter([adc.url.removeprefix("http://")])
    )
    token = source.fetch_id_token(AUDIENCE)
    assert token.encode() not in pickle.dumps(source)
    other = way(source)
    assert other is not source and other._id_tokens == {}
    verifier = gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url)
    assert verifier.verify(other.fetch_id_token(AUDIENCE))["email"] == EMAIL
    assert way(other).fetch_id_token(AUDIENCE)


def test_a_verifier(way: Callable[[Any], Any], adc: Emulator) -> None:
    verifier = gatepass.Verifier(iter([AUDIENCE, "other"]), keys_url=adc.keys_url, allowed_emails=[EMAIL])
    token = adc.mint(AUDIENCE, email=EMAIL)
    verifier.verify(token)
    assert token.encode() not in pickle.dumps(verifier)
    other = way(verifier)
    assert other is not verifier and other.verify(token)["email"] == EMAIL
    with pytest.raises(gatepass.VerifyError):
        other.verify(adc.mint(AUDIENCE, email="b@p.iam.gserviceaccount.com"))


def test_what_holds_them(way: Callable[[Any], Any], adc: Emulator) -> None:
    session = requests.Session()
    session.auth = gatepass.requests.IdTokenAuth(AUDIENCE)
    verifier = gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url)
    held = [
        session.auth,
        gatepass.requests.AccessTokenAuth("scope", source=gatepass.TokenSource()),
        gatepass.httpx.IdTokenAuth(),
        gatepass.httpx.AccessTokenAuth(["scope"]),
        gatepass.flask.RequireIdToken(verifier, open_paths=["/health"]),
        gatepass.asgi.RequireIdToken(None, verifier),  # type: ignore[arg-type]
    ]
    for one in held:
        assert type(way(one)) is type(one)
    assert isinstance(way(session).auth, gatepass.requests.IdTokenAuth)


def in_another_process(source: gatepass.TokenSource) -> str:
    return source.fetch_id_token(AUDIENCE)


def test_a_source_serves_a_pool_of_processes(adc: Emulator) -> None:
    source = gatepass.TokenSource()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(in_another_process, (source,)).get(300)


def test_an_error_is_the_same_after_all() -> None:
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier_at_zero().verify(token_of(aud="https://other.example"))
    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.code, error.claim, error.reason) == ("BAD_AUDIENCE", "aud", "mismatch")
    assert (error.found, error.expected) == ("https://other.example", [AUDIENCE])
    assert str(error) == str(raised.value)
