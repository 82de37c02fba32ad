"""gatepass and google-auth accept each other's tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gatepass
from support import Emulator

AUDIENCE = "https://receiver.example"
EMAIL = "caller@orders-prod.iam.gserviceaccount.com"


@pytest.fixture
def transport(emulator: Emulator) -> Any:
    import google.auth.transport.requests

    return google.auth.transport.requests.Request()


@pytest.fixture
def key_file(emulator: Emulator, tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(emulator.key_file(EMAIL))
    return path


def test_its_token_from_the_metadata_server_is_accepted(emulator: Emulator, transport: Any) -> None:
    from google.oauth2 import id_token

    token = id_token.fetch_id_token(transport, AUDIENCE)
    assert verified(token, emulator)["email"] == "default@emulator.iam.gserviceaccount.com"


def test_its_token_by_key_file_is_accepted(emulator: Emulator, transport: Any, key_file: Path) -> None:
    from google.oauth2 import service_account

    credentials = service_account.IDTokenCredentials.from_service_account_file(
        str(key_file), target_audience=AUDIENCE
    )
    credentials.refresh(transport)
    assert verified(credentials.token, emulator)["email"] == EMAIL


def test_it_accepts_our_token_from_the_metadata_server(emulator: Emulator, transport: Any) -> None:
    token = gatepass.TokenSource().fetch_id_token(AUDIENCE)
    assert verified_by_google_auth(token, emulator, transport) == verified(token, emulator)


def test_it_accepts_our_token_by_key_file(emulator: Emulator, transport: Any, key_file: Path) -> None:
    token = gatepass.TokenSource(credentials_file=key_file).fetch_id_token(AUDIENCE)
    claims = verified_by_google_auth(token, emulator, transport)
    assert claims == verified(token, emulator)
    assert claims["email"] == EMAIL


def test_both_refuse_a_token_for_somebody_else(emulator: Emulator, transport: Any) -> None:
    from google.auth import exceptions

    token = gatepass.TokenSource().fetch_id_token("https://other.example")
    with pytest.raises(exceptions.InvalidValue):
        verified_by_google_auth(token, emulator, transport)
    with pytest.raises(gatepass.VerifyError):
        verified(token, emulator)


def test_both_get_access_tokens_by_the_same_key_file(
    emulator: Emulator, transport: Any, key_file: Path
) -> None:
    from google.oauth2 import service_account

    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    credentials = service_account.Credentials.from_service_account_file(str(key_file), scopes=scopes)
    credentials.refresh(transport)
    source = gatepass.TokenSource(credentials_json=json.loads(key_file.read_text()))
    assert credentials.token
    assert source.fetch_access_token(scopes)


def verified(token: str, emulator: Emulator) -> dict[str, Any]:
    return gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url).verify(token)


def verified_by_google_auth(token: str, emulator: Emulator, transport: Any) -> dict[str, Any]:
    from google.oauth2 import id_token

    certificates = f"{emulator.url}/oauth2/v1/certs"
    claims: dict[str, Any] = id_token.verify_token(
        token, transport, audience=AUDIENCE, certs_url=certificates
    )
    return claims
