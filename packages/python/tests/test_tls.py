"""TLS: whom a request trusts, and the certificate that it presents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import gatepass
from certificates import Authority, Certificate
from gatepass._driver import exchange
from gatepass.testing import Emulator
from steps import perform, send
from support import Answer, Request, Server


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the system trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


def get(url: str, **changed: Any) -> dict[str, Any]:
    return perform(send(url, **changed))


def hello() -> Answer:
    return Answer(body="hello")


def test_a_server_that_the_system_trusts(trusted: Authority) -> None:
    with Server(lambda request: hello(), trusted.server()) as server:
        assert get(server.url)["body"] == "hello"
        assert server.requests[0].certificate is None


def test_a_server_that_nobody_trusts(authority: Authority) -> None:
    with Server(lambda request: hello(), authority.server()) as server:
        reply = get(server.url)
    assert (reply["kind"], "unable to get local issuer" in reply["message"]) == (
        "untrusted_certificate",
        True,
    )
    assert server.requests == []


def test_a_certificate_that_is_not_trusted_is_no_fault_of_the_network(
    authority: Authority, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt, and what to do; the same for keys."""
    connections: list[None] = []
    with Server(lambda request: hello(), authority.server()) as server:
        monkeypatch.setattr(exchange, "Connection", counting(connections))
        key = json.loads(emulator.key_file("a@p.iam.gserviceaccount.com")) | {
            "token_uri": f"{server.url}/token"
        }
        source = gatepass.TokenSource(credentials_json=key, trusted_endpoints=server.address)
        with pytest.raises(gatepass.TransportError, match=r"SSL_CERT_FILE.*REQUESTS_CA_BUNDLE") as raised:
            source.fetch_id_token("https://receiver.example")
        assert (raised.value.code, raised.value.retryable) == ("CONNECTION_FAILED", False)
        verifier = gatepass.Verifier(any_audience=True, keys_url=server.url)
        with pytest.raises(gatepass.VerifyError, match="SSL_CERT_FILE") as refused:
            verifier.verify(emulator.mint("https://receiver.example"))
        assert (refused.value.code, refused.value.retryable) == ("KEYS_UNAVAILABLE", False)
        assert len(connections) == 2


def counting(connections: list[None]) -> type[exchange.Connection]:
    class Counted(exchange.Connection):
        def open(self, host: str, port: int) -> None:
            connections.append(None)
            super().open(host, port)

    return Counted


def test_the_authorities_of_requests_are_trusted_too(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(lambda request: hello(), authority.server()) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.path))
        assert get(server.url)["body"] == "hello"
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))  # A folder, of names that OpenSSL makes.
        assert get(server.url)["kind"] == "untrusted_certificate"
        for unusable in (tmp_path / "missing", tmp_path / "empty"):
            (tmp_path / "empty").touch()
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(unusable))
            reply = get(server.url)
            assert (reply["kind"], str(unusable) in reply["message"]) == ("other", True)


def test_a_server_whose_certificate_is_for_another_host(trusted: Authority) -> None:
    with Server(lambda request: hello(), trusted.server()) as server:
        assert get(server.url.replace("127.0.0.1", "localhost"))["kind"] == "untrusted_certificate"


def test_authorities_of_the_request_are_trusted(authority: Authority) -> None:
    with Server(lambda request: hello(), authority.server()) as server:
        assert get(server.url, ca_certificate_path=str(authority.path))["body"] == "hello"


def test_authorities_of_the_request_replace_the_systems(trusted: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    with Server(lambda request: hello(), trusted.server()) as server:
        reply = get(server.url, ca_certificate_path=str(other.path))
        assert (reply["kind"], server.requests) == ("untrusted_certificate", [])
        assert get(server.url)["body"] == "hello"


def test_a_certificate_is_presented(trusted: Authority) -> None:
    client = trusted.issue("caller")
    with Server(lambda request: hello(), trusted.server(asks=True)) as server:
        assert get(server.url, client_certificate=client.step)["body"] == "hello"
        assert [request.certificate for request in server.requests] == ["caller"]


def test_a_certificate_and_authorities_of_one_request(authority: Authority) -> None:
    client = authority.issue("caller")
    with Server(lambda request: hello(), authority.server(asks=True)) as server:
        reply = get(server.url, client_certificate=client.step, ca_certificate_path=str(authority.path))
        assert reply["body"] == "hello"
        assert server.requests[0].certificate == "caller"


def test_a_server_that_asks_for_a_certificate_in_vain(trusted: Authority) -> None:
    with Server(lambda request: hello(), trusted.server(asks=True)) as server:
        assert get(server.url)["kind"] == "connect"
        assert server.requests == []


def test_a_certificate_that_has_been_rotated(trusted: Authority) -> None:
    old, new = trusted.issue("old"), trusted.issue("new")
    with Server(lambda request: hello(), trusted.server(asks=True)) as server:
        assert get(server.url, client_certificate=old.step)["body"] == "hello"
        shutil.copy(new.cert_path, old.cert_path)
        shutil.copy(new.key_path, old.key_path)
        assert get(server.url, client_certificate=old.step)["body"] == "hello"
        assert [request.certificate for request in server.requests] == ["old", "new"]


@pytest.mark.parametrize("what", ["cert_path", "key_path", "ca_certificate_path"])
@pytest.mark.parametrize("state", ["missing", "a folder", "empty", "no PEM", "of another"])
def test_a_file_that_is_of_no_use_is_named(
    what: str, state: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = authority.issue("caller")
    files = {**client.step, "ca_certificate_path": str(authority.path)}
    bad = tmp_path / "bad"
    match state:
        case "a folder":
            bad.mkdir()
        case "empty":
            bad.touch()
        case "no PEM":
            bad.write_text("HUSH")
        case "of another":
            other = authority.issue("other")
            other.cert_path.rename(bad) if what == "cert_path" else other.key_path.rename(bad)
    files[what] = str(bad)
    with Server(lambda request: hello(), authority.server(asks=True)) as server:
        authorities = files.pop("ca_certificate_path")
        reply = get(server.url, client_certificate=files, ca_certificate_path=authorities)
        assert server.requests == []
    assert reply["kind"] == "other"
    assert str(bad) in reply["message"]
    assert "HUSH" not in reply["message"] and "BEGIN" not in reply["message"]


def test_a_key_with_a_password_is_refused_and_nobody_is_asked(authority: Authority) -> None:
    client = authority.issue("caller", password=b"hush")
    with Server(lambda request: hello(), authority.server(asks=True)) as server:
        reply = get(server.url, client_certificate=client.step, ca_certificate_path=str(authority.path))
    assert (reply["kind"], str(client.key_path) in reply["message"]) == ("other", True)
    assert "without a password" in reply["message"]


def test_a_token_by_certificate(trusted: Authority, tmp_path: Path) -> None:
    """The Security Token Service sees the certificate."""
    client = trusted.issue("workload")

    def answer(request: Request) -> Answer:
        return Answer(body='{"access_token":"a","token_type":"Bearer","expires_in":3600}')

    with Server(answer, trusted.server(asks=True)) as sts:
        source = by_certificate(client, sts, tmp_path)
        assert source.fetch_access_token("https://www.googleapis.com/auth/cloud-platform") == "a"
        assert [(request.path, request.certificate) for request in sts.requests] == [
            ("/v1/token", "workload")
        ]
        client.key_path.write_text("HUSH")
        with pytest.raises(gatepass.GatepassError) as raised:
            source.fetch_access_token("another scope")
    assert "private key" in str(raised.value) and "HUSH" not in str(raised.value)


def test_a_token_from_an_endpoint_whose_authority_the_credentials_name(
    emulator: Emulator, tmp_path: Path
) -> None:
    options = ["--type", "gdch_service_account", "--name", "caller"]
    path = emulator.write_key_file(tmp_path / "credentials.json", *options)
    trusted = emulator.tls_url.removeprefix("https://")
    source = gatepass.TokenSource(
        credentials_file=path, gdch_audience="https://receiver.example", trusted_endpoints=trusted
    )
    info = emulator.token_info(source.fetch_access_token())
    assert info["sub"] == "system:serviceaccount:emulator:caller"


def by_certificate(client: Certificate, sts: Server, folder: Path) -> gatepass.TokenSource:
    config = folder / "certificate_config.json"
    config.write_text(json.dumps({"cert_configs": {"workload": client.step}}))
    pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b"
    credentials = {
        "type": "external_account",
        "audience": pool,
        "subject_token_type": "urn:ietf:params:oauth:token-type:mtls",
        "token_url": f"{sts.url}/v1/token",
        "credential_source": {"certificate": {"certificate_config_location": str(config)}},
    }
    return gatepass.TokenSource(credentials_json=credentials, trusted_endpoints=sts.address)
