"""The README's snippets: each is a whole program, runs, and satisfies the strictest type checker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from gatepass.testing import Emulator
from support import ENVIRONMENT, REPOSITORY, Answer, Server

PACKAGE = REPOSITORY / "packages" / "python"
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.M | re.S)
CALLER = "caller@project.iam.gserviceaccount.com"


def is_test(snippet: str) -> bool:
    return "def test_" in snippet


PROGRAMS = [snippet for snippet in SNIPPETS if not is_test(snippet)]
TESTS = [snippet for snippet in SNIPPETS if is_test(snippet)]


@pytest.fixture
def receiver() -> Iterator[Server]:
    with Server(lambda request: Answer()) as server:
        yield server


def test_snippets_are_found() -> None:
    assert len(PROGRAMS) > 5 and len(TESTS) == 1


def test_their_types_are_strict(tmp_path: Path) -> None:
    for number, snippet in enumerate(SNIPPETS):
        (tmp_path / f"snippet_{number}.py").write_text(snippet)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *map(str, tmp_path.glob("*.py"))]
    # Warnings of a framework's own types aside, nothing is left out.
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("snippet", PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_runs(snippet: str, adc: Emulator, receiver: Server) -> None:
    # The calls reach a server on this machine, and nothing else is different.
    calls = re.compile(r'(\bget\(|^url = )"https://receiver.example"', re.M)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(calls.sub(rf'\1"{receiver.url}"', snippet), "README.md", "exec"), names)
    assert len(receiver.requests) == len(calls.findall(snippet))
    for request in receiver.requests:
        assert request.headers["authorization"].startswith("Bearer ")
    if "app" in names:
        assert_guarded(names["app"], adc.mint("https://receiver.example", email=CALLER))


def assert_guarded(app: Any, token: str) -> None:
    client = app.test_client() if hasattr(app, "test_client") else TestClient(app)
    answer = client.get("/", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, f"Hello {CALLER}" in answer.text) == (200, True)
    assert client.get("/").status_code == 401


@pytest.mark.parametrize("snippet", TESTS, ids=range(len(TESTS)))
def test_a_test_passes(snippet: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["gatepass.testing.plugin"]\n')
    (tmp_path / "test_snippet.py").write_text(snippet)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environment = {**ENVIRONMENT, "HOME": os.devnull}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
