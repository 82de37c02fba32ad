"""google-auth, as it is, and gatepass: a kind of credentials gives both a token of the same principal, and
each accepts the other's ID tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import gatepass
from gatepass.testing import Emulator


WriteKeyFile: TypeAlias = Callable[..., Path]

AUDIENCE = "https://receiver.example"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
EMAIL = "caller@orders-prod.iam.gserviceaccount.com"
PERSON = "jane@example.com"
POOLS = "principal://iam.googleapis.com/"
WORKLOAD = POOLS + "projects/123456789012/locations/global/workloadIdentityPools/emulator/subject/workload"
WORKFORCE = POOLS + "locations/global/workforcePools/emulator/subject/"
WORKFORCE_PROVIDER = "//iam.googleapis.com/locations/global/workforcePools/emulator/providers/emulator"


def external_account(*options: str, email: str | None = EMAIL) -> list[str]:
    principal = ["--no-impersonation"] if email is None else ["--email", email]
    return ["--type", "external_account", *principal, *options]


def impersonated(*options: str) -> list[str]:
    return ["--type", "impersonated_service_account", "--email", EMAIL, *options]


# The kind, the options of `gatepass emulator key`, and whose access token it gives.
KINDS = {
    "service_account": (["--email", EMAIL], {"email": EMAIL}),
    "authorized_user": (["--type", "authorized_user", "--email", PERSON], {"email": PERSON}),
    "external_account, file": (external_account("--source", "file"), {"email": EMAIL}),
    "external_account, file, JSON": (
        external_account("--source", "file", "--format", "json"),
        {"email": EMAIL},
    ),
    "external_account, url": (external_account("--source", "url"), {"email": EMAIL}),
    "external_account, executable": (external_account("--source", "executable"), {"email": EMAIL}),
    "external_account, AWS": (external_account("--source", "aws"), {"email": EMAIL}),
    "external_account, certificate": (external_account("--source", "certificate"), {"email": EMAIL}),
    "external_account, no impersonation": (
        external_account("--source", "url", email=None),
        {"sub": WORKLOAD},
    ),
    "external_account, workforce pool": (
        external_account("--source", "file", "--audience", WORKFORCE_PROVIDER, email=None),
        {"sub": WORKFORCE + "workload"},
    ),
    "external_account_authorized_user": (
        ["--type", "external_account_authorized_user", "--email", PERSON],
        {"sub": WORKFORCE + PERSON},
    ),
    "impersonated_service_account by authorized_user": (impersonated(), {"email": EMAIL}),
    "impersonated_service_account by service_account": (
        impersonated("--source-credentials", "service_account"),
        {"email": EMAIL},
    ),
    "impersonated_service_account through delegates": (
        impersonated("--delegate", "first@emulator.iam.gserviceaccount.com"),
        {"email": EMAIL},
    ),
}


@pytest.fixture
def transport(emulator: Emulator) -> Any:
    import google.auth.transport.requests

    return google.auth.transport.requests.Request()


@pytest.mark.parametrize(("options", "principal"), KINDS.values(), ids=KINDS)
def test_both_get_an_access_token(
    options: list[str], principal: dict[str, str], emulator: Emulator, transport: Any, adc: WriteKeyFile
) -> None:
    import google.auth

    adc(*options)
    credentials, _ = google.auth.default(scopes=[SCOPE])
    credentials.refresh(transport)
    ours = gatepass.TokenSource().fetch_access_token(SCOPE)
    assert principal_of(credentials.token, emulator) == principal_of(ours, emulator) == principal


def test_both_get_an_access_token_from_the_metadata_server(emulator: Emulator, transport: Any) -> None:
    import google.auth

    credentials, _ = google.auth.default(scopes=[SCOPE])
    credentials.refresh(transport)
    ours = gatepass.TokenSource().fetch_access_token(SCOPE)
    default = {"email": "default@emulator.iam.gserviceaccount.com"}
    assert principal_of(credentials.token, emulator) == principal_of(ours, emulator) == default


def test_both_ask_a_supplier(emulator: Emulator, transport: Any, adc: WriteKeyFile) -> None:
    """google-auth takes an object in code, gatepass a function that the file names."""
    from google.auth import identity_pool

    class Supplier(identity_pool.SubjectTokenSupplier):
        def get_subject_token(self, context: Any, request: Any) -> str:
            asked.append((context.audience, context.subject_token_type))
            return "subject token"

    def supplier(request: gatepass.SubjectTokenRequest) -> str:
        asked.append((request.audience, request.token_type))
        return "subject token"

    asked: list[tuple[str, str]] = []
    options = external_account("--source", "supplier", "--supplier", "ours")
    file = json.loads(adc(*options).read_text())
    credentials = identity_pool.Credentials(
        audience=file["audience"],
        subject_token_type=file["subject_token_type"],
        token_url=file["token_url"],
        service_account_impersonation_url=file["service_account_impersonation_url"],
        subject_token_supplier=Supplier(),
        scopes=[SCOPE],
    )
    credentials.refresh(transport)
    ours = gatepass.TokenSource(suppliers={"ours": supplier}).fetch_access_token(SCOPE)
    assert principal_of(credentials.token, emulator) == principal_of(ours, emulator) == {"email": EMAIL}
    assert asked == [(file["audience"], file["subject_token_type"])] * 2


def test_both_get_an_access_token_of_distributed_cloud(
    emulator: Emulator, transport: Any, adc: WriteKeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the authority that the file names is trusted."""
    import google.auth

    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    adc("--type", "gdch_service_account", "--name", "caller")
    credentials, _ = google.auth.default()
    credentials = credentials.with_gdch_audience(AUDIENCE)
    credentials.refresh(transport)
    ours = gatepass.TokenSource(gdch_audience=AUDIENCE).fetch_access_token()
    identity = {"sub": "system:serviceaccount:emulator:caller"}
    assert principal_of(credentials.token, emulator) == principal_of(ours, emulator) == identity


def test_both_sign_for_themselves(transport: Any, adc: WriteKeyFile) -> None:
    from google.auth import jwt

    credentials = jwt.Credentials.from_service_account_file(str(adc("--email", EMAIL)), audience=AUDIENCE)
    credentials.refresh(transport)
    ours = gatepass.TokenSource().fetch_self_signed_jwt(AUDIENCE)
    for token in (credentials.token.decode(), ours):
        claims = jwt.decode(token, verify=False)
        assert (claims["iss"], claims["sub"], claims["aud"]) == (EMAIL, EMAIL, AUDIENCE)


def test_impersonation_by_a_federated_identity_is_a_kind_of_ours_only(
    emulator: Emulator, adc: WriteKeyFile
) -> None:
    import google.auth
    from google.auth import exceptions

    adc(*impersonated("--source-credentials", "external_account"))
    with pytest.raises(exceptions.InvalidType, match="external_account is not supported"):
        google.auth.default(scopes=[SCOPE])
    source = gatepass.TokenSource()
    assert principal_of(source.fetch_access_token(SCOPE), emulator) == {"email": EMAIL}
    assert verified(source.fetch_id_token(AUDIENCE), emulator)["email"] == EMAIL


# Kinds by which google-auth gets ID tokens from a file.
ID_TOKENS = [
    "service_account",
    "impersonated_service_account by authorized_user",
    "impersonated_service_account by service_account",
    "impersonated_service_account through delegates",
]
# Kinds by which it gets none, and the one that has some for gatepass.
NO_ID_TOKENS = [
    "authorized_user",
    FEDERATED := "external_account, url",
    "external_account, no impersonation",
    "external_account_authorized_user",
]


def test_both_get_an_id_token_from_the_metadata_server(emulator: Emulator, transport: Any) -> None:
    from google.oauth2 import id_token

    theirs = id_token.fetch_id_token(transport, AUDIENCE)
    ours = gatepass.TokenSource().fetch_id_token(AUDIENCE)
    check_accepted([theirs, ours], "default@emulator.iam.gserviceaccount.com", emulator, transport)


@pytest.mark.parametrize("kind", ID_TOKENS)
def test_both_get_an_id_token(kind: str, emulator: Emulator, transport: Any, adc: WriteKeyFile) -> None:
    from google.oauth2 import id_token

    adc(*KINDS[kind][0])
    theirs = id_token.fetch_id_token(transport, AUDIENCE)
    ours = gatepass.TokenSource().fetch_id_token(AUDIENCE)
    check_accepted([theirs, ours], EMAIL, emulator, transport)


def test_both_get_an_id_token_by_a_federated_identity_that_impersonates(
    emulator: Emulator, transport: Any, adc: WriteKeyFile
) -> None:
    """google-auth is told whom to impersonate in code."""
    import google.auth
    from google.auth import impersonated_credentials

    adc(*external_account("--source", "url", email=None))
    federated, _ = google.auth.default(scopes=[SCOPE])
    target = impersonated_credentials.Credentials(federated, EMAIL, [SCOPE])
    credentials = impersonated_credentials.IDTokenCredentials(target, AUDIENCE, include_email=True)
    credentials.refresh(transport)
    ours = gatepass.TokenSource(impersonate=EMAIL).fetch_id_token(AUDIENCE)
    check_accepted([credentials.token, ours], EMAIL, emulator, transport)


@pytest.mark.parametrize("kind", NO_ID_TOKENS)
def test_it_gets_no_id_token_by_these(
    kind: str, emulator: Emulator, transport: Any, adc: WriteKeyFile
) -> None:
    """`fetch_id_token` passes over such a file: here, to a metadata server that is none."""
    from google.auth import exceptions
    from google.oauth2 import id_token

    adc(*KINDS[kind][0])
    emulator.fault("/", status=404)
    with pytest.raises(exceptions.DefaultCredentialsError, match="valid service account credentials"):
        id_token.fetch_id_token(transport, AUDIENCE)
    emulator.reset()
    if kind == FEDERATED:
        ours = gatepass.TokenSource().fetch_id_token(AUDIENCE)
        assert verified(ours, emulator)["email"] == EMAIL
        return
    with pytest.raises(gatepass.CredentialsError) as raised:
        gatepass.TokenSource().fetch_id_token(AUDIENCE)
    assert raised.value.code == "ID_TOKEN_UNSUPPORTED"


def test_both_refuse_a_token_for_somebody_else(emulator: Emulator, transport: Any) -> None:
    from google.auth import exceptions

    token = gatepass.TokenSource().fetch_id_token("https://other.example")
    with pytest.raises(exceptions.InvalidValue):
        verified_by_google_auth(token, emulator, transport)
    with pytest.raises(gatepass.VerifyError):
        verified(token, emulator)


def check_accepted(tokens: list[str], email: str, emulator: Emulator, transport: Any) -> None:
    for token in tokens:
        claims = verified(token, emulator)
        assert claims["email"] == email
        assert verified_by_google_auth(token, emulator, transport) == claims


def principal_of(access_token: str, emulator: Emulator) -> dict[str, Any]:
    info = emulator.token_info(access_token)
    return {name: info[name] for name in ("email", "sub") if name in info}


def verified(token: str, emulator: Emulator) -> dict[str, Any]:
    return gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url).verify(token)


def verified_by_google_auth(token: str, emulator: Emulator, transport: Any) -> dict[str, Any]:
    from google.oauth2 import id_token

    certificates = f"{emulator.url}/oauth2/v1/certs"
    claims: dict[str, Any] = id_token.verify_token(
        token, transport, audience=AUDIENCE, certs_url=certificates
    )
    return claims
