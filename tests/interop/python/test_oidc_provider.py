"""Tokens of an OpenID Connect issuer that has nothing to do with Google, by its discovery document."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from issuer import Issuer

import gatepass
from support import Clock

AUDIENCE = "orders"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.stop()


def refusal(verifier: gatepass.Verifier, token: str) -> str:
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(token)
    return raised.value.code


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_its_tokens_are_accepted(algorithm: str, issuer: Issuer) -> None:
    verifier = gatepass.Verifier(AUDIENCE, preset="oidc", issuers=issuer.url)
    token = issuer.token(AUDIENCE, algorithm)
    claims = verifier.verify(token)
    assert (claims["iss"], claims["aud"], claims["email"]) == (issuer.url, AUDIENCE, "person@issuer.example")
    assert asyncio.run(gatepass.aio.verify(token, verifier=verifier)) is claims
    assert verifier.explain(token).accepted is True


def test_its_keys_change(issuer: Issuer) -> None:
    """New keys are fetched for a token that names one of them; with the old ones go their tokens."""
    clock = Clock()
    verifier = gatepass.Verifier(AUDIENCE, preset="oidc", issuers=issuer.url, clock=clock)
    before = issuer.token(AUDIENCE)
    verifier.verify(before)
    issuer.rotate()
    after = issuer.token(AUDIENCE)
    assert verifier.verify(before)["aud"] == AUDIENCE, "the new keys are not known yet"
    clock.now += 60  # So often at most does a token that names an unknown key have them fetched anew.
    assert verifier.verify(after)["aud"] == AUDIENCE
    assert refusal(verifier, before) == "UNKNOWN_KEY"


def test_what_is_not_meant_is_refused(issuer: Issuer) -> None:
    token = issuer.token(AUDIENCE)
    elsewhere = gatepass.Verifier("invoices", preset="oidc", issuers=issuer.url)
    assert refusal(elsewhere, token) == "BAD_AUDIENCE"
    narrower = gatepass.Verifier(AUDIENCE, preset="oidc", issuers=issuer.url, algorithms="ES256")
    assert refusal(narrower, token) == "ALG_NOT_ALLOWED"
    same_keys = gatepass.Verifier(
        AUDIENCE,
        preset=None,
        issuers="https://issuer.example",
        algorithms="RS256",
        keys_url=f"{issuer.url}/jwks",
    )
    assert refusal(same_keys, token) == "BAD_ISSUER"
    other_name = gatepass.Verifier(
        AUDIENCE, preset="oidc", issuers=issuer.url.replace("127.0.0.1", "localhost")
    )
    assert refusal(other_name, token) == "DISCOVERY_INVALID"


def test_another_issuer_of_the_same_make_is_refused(issuer: Issuer) -> None:
    other = Issuer()
    try:
        verifier = gatepass.Verifier(AUDIENCE, preset="oidc", issuers=issuer.url)
        assert refusal(verifier, other.token(AUDIENCE)) == "UNKNOWN_KEY"
    finally:
        other.stop()
