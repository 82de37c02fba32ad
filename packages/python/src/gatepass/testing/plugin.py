"""Fixtures for pytest. In the topmost `conftest.py`: `pytest_plugins = ["gatepass.testing.plugin"]`.

def test_a_caller(gatepass_emulator: gatepass.testing.Emulator) -> None:
    token = gatepass.fetch_id_token("https://receiver.example")
    verifier = gatepass.Verifier("https://receiver.example", keys_url=gatepass_emulator.keys_url)
    assert verifier.verify(token)["aud"] == "https://receiver.example"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import gatepass._keys
import gatepass.source
import gatepass.verifier
from gatepass.testing import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["gatepass_emulator", "gatepass_running_emulator"]


@pytest.fixture(scope="session")
def gatepass_running_emulator() -> Iterator[Emulator]:
    """The emulator of this test run. Override it to start it with other options."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def gatepass_emulator(
    gatepass_running_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emulator]:
    """The emulator as Application Default Credentials find it: nothing counted, no fault, the clock right,
    and nothing cached for the process by an earlier test."""
    gatepass_running_emulator.reset()
    for name, value in gatepass_running_emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(gatepass._keys, "_default", {})
    monkeypatch.setattr(gatepass.source, "_default", {})
    monkeypatch.setattr(gatepass.verifier, "_default", {})
    yield gatepass_running_emulator
