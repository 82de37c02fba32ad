from __future__ import annotations

from pathlib import Path

import pytest

import gatepass
import gatepass._driver.flights
import gatepass._keys
import gatepass.source
import gatepass.verifier
from gatepass.testing import Emulator

pytest_plugins = ["gatepass.testing.plugin", "orders"]

# All that leads to credentials: a test begins with none of it.
NAMES = [
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CONFIG",
    "GCE_METADATA_HOST",
    "GCE_METADATA_IP",
    "METADATA_SERVER_DETECTION",
    "NO_GCE_CHECK",
    "K_SERVICE",
    "GATEPASS_DANGEROUSLY_TRUST_EMULATOR",
    "GATEPASS_TRUSTED_ENDPOINTS",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
    "CLOUDSDK_AUTH_TOKEN_HOST",
    "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES",
    "GOOGLE_API_CERTIFICATE_CONFIG",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, no proxies, nothing that an earlier test has cached. Nor does who waits look again: a
    wake-up that is lost makes the test hang, and fail."""
    for name in NAMES:
        # Set first, so that the variable goes back to what it was even if the test sets it on its own.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(gatepass._driver.flights, "PATIENCE", 3600)
    monkeypatch.setattr(gatepass._keys, "_default", {})
    monkeypatch.setattr(gatepass.source, "_default", {})
    monkeypatch.setattr(gatepass.verifier, "_default", {})


@pytest.fixture
def emulator(gatepass_running_emulator: Emulator) -> Emulator:
    """The emulator, with nothing counted and no fault waiting; ADC does not know of it."""
    gatepass_running_emulator.reset()
    return gatepass_running_emulator


@pytest.fixture
def adc(gatepass_emulator: Emulator) -> Emulator:
    """The emulator as what Application Default Credentials find."""
    return gatepass_emulator
