"""Every kind of credentials (tests/vectors/credentials), against the emulator."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest

import gatepass
from gatepass import aio
from gatepass._driver import steps as driver
from gatepass._driver import suppliers
from gatepass.testing import Emulator
from leaks import secrets_of, secrets_sent, shown_by
from support import VECTORS

MATRIX = json.loads((VECTORS / "credentials" / "matrix.json").read_text())
AUDIENCE, SCOPE = MATRIX["audience"], MATRIX["scope"]
ROWS = pytest.mark.parametrize("row", MATRIX["rows"], ids=lambda row: row["name"])

KeyFile: TypeAlias = Callable[[dict[str, Any]], Path]
Make: TypeAlias = Callable[[], gatepass.TokenSource]
Fetch: TypeAlias = Callable[[gatepass.TokenSource], str]


@pytest.fixture(scope="session")
def authority(gatepass_running_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_text(gatepass_running_emulator.authority())
    return path


@pytest.fixture(scope="session")
def key_file(gatepass_running_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> KeyFile:
    """Writes a row's credential file, once."""
    written: dict[str, Path] = {}

    def write(row: dict[str, Any]) -> Path:
        if row["name"] not in written:
            path = tmp_path_factory.mktemp("key") / "credentials.json"
            written[row["name"]] = gatepass_running_emulator.write_key_file(path, *row["key"])
        return written[row["name"]]

    return write


@pytest.fixture
def make(
    row: dict[str, Any],
    adc: Emulator,
    authority: Path,
    key_file: KeyFile,
    monkeypatch: pytest.MonkeyPatch,
) -> Make:
    """Makes sources of the row's credentials."""
    if row["key"] is not None:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(row)))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    for name, value in row["env"].items():
        if "{stem}" in value:
            value = value.replace("{stem}", str(key_file(row).with_suffix("")))
        monkeypatch.setenv(name, value.replace("{emulator}", adc.url))

    def supplier(request: gatepass.SubjectTokenRequest) -> str:
        file = json.loads(key_file(row).read_text())
        assert (request.audience, request.token_type) == (file["audience"], file["subject_token_type"])
        return "any text at all"

    suppliers = {row["supplier"]: supplier} if "supplier" in row else None
    return lambda: gatepass.TokenSource(suppliers=suppliers, **row.get("options", {}))


def id_token(source: gatepass.TokenSource) -> str:
    return source.fetch_id_token(AUDIENCE)


def id_token_with_asyncio(source: gatepass.TokenSource) -> str:
    return asyncio.run(aio.fetch_id_token(AUDIENCE, source=source))


def access_token(source: gatepass.TokenSource) -> str:
    return source.fetch_access_token(SCOPE)


def access_token_with_asyncio(source: gatepass.TokenSource) -> str:
    return asyncio.run(aio.fetch_access_token(SCOPE, source=source))


@ROWS
@pytest.mark.parametrize(
    ("fetch_id_token", "fetch_access_token"),
    [(id_token, access_token), (id_token_with_asyncio, access_token_with_asyncio)],
    ids=["threads", "asyncio"],
)
def test_tokens(
    row: dict[str, Any], fetch_id_token: Fetch, fetch_access_token: Fetch, make: Make, adc: Emulator
) -> None:
    source = make()

    def identity(token: str) -> Any:
        return gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url).verify(token)

    check(row["id_token"], fetch_id_token, source, identity)
    check(row["access_token"], fetch_access_token, source, adc.token_info)


def check(
    expected: dict[str, str], fetch: Fetch, source: gatepass.TokenSource, described: Callable[[str], Any]
) -> None:
    if "error" in expected:
        with pytest.raises(gatepass.GatepassError) as raised:
            fetch(source)
        assert raised.value.code == expected["error"]
    else:
        members = described(fetch(source))
        assert {name: members[name] for name in expected} == expected


class Record:
    """What the core has asked for and been told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secrets: set[str] = set()
        self.last_path = ""
        self._perform, self._supply = driver.perform, suppliers.supply
        monkeypatch.setattr(driver, "perform", self.perform)
        monkeypatch.setattr(suppliers, "supply", self.supply)

    def perform(self, step: dict[str, Any]) -> Any:
        reply = dict(self._perform(step))
        if step["step"] == "send":
            self.last_path = urlsplit(step["url"]).path
            self.secrets |= secrets_sent(step)
        self.secrets |= secrets_of(reply)
        return reply

    def supply(self, step: Any, known: Any) -> Any:
        reply, cause = self._supply(step, known)
        self.secrets |= secrets_of(dict(reply))
        return reply, cause


@ROWS
@pytest.mark.parametrize("fetch", [id_token, access_token])
def test_neither_errors_nor_logs_show_a_secret(
    row: dict[str, Any],
    fetch: Fetch,
    make: Make,
    adc: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With a token, if the row gives one, and then with the last endpoint on the way to it refusing."""
    caplog.set_level(logging.DEBUG)
    record = Record(monkeypatch)
    if "error" not in row[fetch.__name__]:
        token = fetch(make())
        assert any(part in record.secrets for part in (token, *token.split(".")))
        adc.fault(record.last_path, status=403, body={"error": "access_denied"})
    with pytest.raises(gatepass.GatepassError) as raised:
        fetch(make())
    shown = shown_by(raised.value) + caplog.text + "".join(capfd.readouterr())
    assert [secret for secret in record.secrets if secret in shown] == []
