"""Who credentials are, and what they sign."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import gatepass
from gatepass import aio
from gatepass.testing import Emulator

EMAIL = "caller@orders-prod.iam.gserviceaccount.com"


def public_key(emulator: Emulator) -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(
        json.loads(emulator.key_file(EMAIL))["private_key"].encode(), None
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key()


def sources(emulator: Emulator, folder: Path) -> list[gatepass.TokenSource]:
    """By the account's own key, and by one that impersonates it and asks IAM to sign."""
    return [
        gatepass.TokenSource(credentials_json=emulator.key_file(EMAIL)),
        gatepass.TokenSource(impersonate=EMAIL),
    ]


def test_a_service_account_signs_with_its_key_or_by_iam(adc: Emulator, tmp_path: Path) -> None:
    for source in sources(adc, tmp_path):
        assert source.principal().email == EMAIL
        for signed in (source.sign_bytes(b"text"), asyncio.run(aio.sign_bytes(b"text", source=source))):
            public_key(adc).verify(signed.signature, b"text", padding.PKCS1v15(), hashes.SHA256())
        assert asyncio.run(aio.principal(source=source)).email == EMAIL
    assert "signature" not in repr(signed).lower().replace("signature(key_id", "")


def test_the_metadata_server_knows_its_account_and_project(adc: Emulator) -> None:
    found = gatepass.TokenSource().principal()
    assert (found.email, found.project_id) == ("default@emulator.iam.gserviceaccount.com", "emulator")
    assert repr(found) == "Principal(email='default@emulator.iam.gserviceaccount.com', project_id='emulator')"


def test_a_person_signs_nothing(adc: Emulator, tmp_path: Path) -> None:
    path = adc.write_key_file(
        tmp_path / "user.json", "--type", "authorized_user", "--email", "jane@example.com"
    )
    source = gatepass.TokenSource(credentials_file=path)
    with pytest.raises(gatepass.CredentialsError) as raised:
        source.sign_bytes(b"text")
    assert raised.value.code == "SELF_SIGNED_JWT_UNSUPPORTED"
    with pytest.raises(TypeError, match="data is str, expected bytes"):
        source.sign_bytes("text")  # type: ignore[arg-type]
