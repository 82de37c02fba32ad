from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from relay import Relay

from certificates import Authority
from gatepass.testing import Emulator


pytest_plugins = ["gatepass.testing.plugin"]


@pytest.fixture(scope="session")
def emulator(
    gatepass_running_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulator]:
    """The emulator, as what both libraries find. google-auth reads the environment when it is imported, so
    tests import it only after they have asked for this fixture."""
    emulator = gatepass_running_emulator
    folder = tmp_path_factory.mktemp("authorities")
    authority = Authority(folder)
    relay = Relay(emulator.url, authority.server(host="*.googleapis.com"))
    trusted = folder / "trusted.pem"
    trusted.write_text(emulator.authority() + authority.path.read_text())
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "NO_GCE_CHECK", "K_SERVICE"):
        os.environ.pop(name, None)
    os.environ.update(emulator.environment)
    os.environ.update(
        HOME=os.devnull,
        GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES="1",
        # What google-auth has no setting for goes by the proxy; nothing reaches a network.
        HTTPS_PROXY=relay.url,
        NO_PROXY="127.0.0.1",
        REQUESTS_CA_BUNDLE=str(trusted),
        SSL_CERT_FILE=str(trusted),
    )
    yield emulator
    relay.stop()


@pytest.fixture
def adc(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a credential file, which both libraries find."""

    def write(*options: str) -> Path:
        path = emulator.write_key_file(tmp_path / "credentials.json", *options)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        return path

    return write
