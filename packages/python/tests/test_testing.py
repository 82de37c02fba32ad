"""What users test with: the emulator, and its fixtures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gatepass
from gatepass.testing import Emulator, find_program
from support import ENVIRONMENT

AUDIENCE = "https://receiver.example"


def test_the_program_is_the_one_named_or_in_the_environment_or_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_path = tmp_path / "gatepass"
    on_path.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GATEPASS_PROGRAM", "of the environment")
    assert find_program(tmp_path / "named") == str(tmp_path / "named")
    assert find_program() == "of the environment"
    monkeypatch.delenv("GATEPASS_PROGRAM")
    assert find_program() == str(on_path)
    on_path.unlink()
    with pytest.raises(FileNotFoundError, match="set GATEPASS_PROGRAM"):
        find_program()


def test_a_program_that_does_not_listen(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="without listening"):
        Emulator(program="true")


def test_it_ends_with_its_block() -> None:
    with Emulator(["--lifetime", "60", "--email", "a@p.iam.gserviceaccount.com"]) as emulator:
        verifier = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url)
        claims = verifier.verify(emulator.mint(AUDIENCE))
        assert (claims["exp"] - claims["iat"], claims["email"]) == (60, "a@p.iam.gserviceaccount.com")
    assert emulator._process.returncode == 0


def test_its_clock_and_its_faults_are_set_and_forgotten(adc: Emulator) -> None:
    adc.set_clock(-7200)
    verifier = gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url)
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.verify(adc.mint(AUDIENCE))
    assert raised.value.code == "TOKEN_EXPIRED"
    adc.fault("/emulator/v1/subject-token", status=500, times=100)
    adc.reset()
    assert verifier.verify(adc.mint(AUDIENCE, email="b@p.iam.gserviceaccount.com", claims={"n": 2}))["n"] == 2
    assert adc.counts() == {}


def test_what_it_refuses_is_said(adc: Emulator) -> None:
    with pytest.raises(RuntimeError, match="400 to POST /emulator/v1/fault"):
        adc.fault("/token", unknown=1)
    with pytest.raises(RuntimeError, match="emulator key"):
        adc.key_file("no e-mail")


USERS_TESTS = """
import os
import gatepass

def test_a(gatepass_emulator):
    os.environ["K_SERVICE"] = ""
    token = gatepass.fetch_id_token("https://receiver.example")
    verifier = gatepass.Verifier("https://receiver.example", keys_url=gatepass_emulator.keys_url)
    assert verifier.verify(token)["aud"] == "https://receiver.example"
    gatepass_emulator.fault("/", status=500)

def test_b(gatepass_emulator):
    assert gatepass_emulator.counts() == {}
    assert gatepass.fetch_id_token("https://receiver.example")
    assert len(gatepass_emulator.counts()) == 1

def test_c():
    assert "GCE_METADATA_HOST" not in os.environ
"""


def test_the_fixtures_serve_a_users_own_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["gatepass.testing.plugin"]\n')
    (tmp_path / "test_users.py").write_text(USERS_TESTS)
    environment = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**environment, "HOME": os.devnull},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and "3 passed" in done.stdout, done.stdout + done.stderr
