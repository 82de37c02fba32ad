"""The package as its users meet it: installed, imported, type-checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatepass.testing import Emulator
from support import ENVIRONMENT, REPOSITORY, VECTORS

PACKAGE = REPOSITORY / "packages" / "python"


def python(program: str, interpreter: str | Path = sys.executable, **environment: str) -> str:
    done = subprocess.run(
        [str(interpreter), "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_is_cheap() -> None:
    """What costs more than gatepass itself is imported by whatever needs it; a verification does not."""
    corpus = json.loads((VECTORS / "verify" / "attack_corpus.json").read_text())
    case = corpus["cases"][0]  # A good token of Google's.
    keys, audience = corpus["jwks"][case["jwks"]], corpus["profiles"]["google"]["audience"]
    verification = f"gatepass.Verifier({audience!r}, keys={keys!r}, clock=lambda: {case['now']})"
    verification += f".verify({case['token']!r})"
    loaded = set(python(f"import sys, gatepass; {verification}; print(*sys.modules)").split())
    bare = set(python("import sys; print(*sys.modules)").split())
    heavy = {
        "asyncio",
        "collections",
        "concurrent.futures",
        "flask",
        "http",
        "httpx",
        "json",
        "logging",
        "re",
        "requests",
        "ssl",
        "threading",
        "typing",
    }
    assert not (loaded - bare) & heavy
    assert "gatepass._native" in loaded


TWO_INTERPRETERS = """
try:
    import _xxsubinterpreters as interpreters
    new = lambda: interpreters.create(isolated=False)
except ImportError:  # Its name since Python 3.13.
    import _interpreters as interpreters
    new = lambda: interpreters.create("legacy")

APPLICATION = '''
try:
    import gatepass
except ImportError as error:
    print("refused:", error, flush=True)
else:
    try:
        gatepass.Verifier("a", keys={"keys": []}).verify("no token")
    except gatepass.VerifyError as error:
        print("caught:", error.code, flush=True)
'''
living = [new(), new()]
for interpreter in [*living, living[0]]:
    interpreters.run_string(interpreter, APPLICATION)
"""


def test_a_second_interpreter_in_a_process_is_told_why_it_cannot_import() -> None:
    """As under mod_wsgi; the first one's own classes go on being caught."""
    first, second, first_again = python(TWO_INTERPRETERS).splitlines()
    assert (first, first_again) == ("caught: TOKEN_MALFORMED",) * 2
    assert second.startswith("refused: gatepass is in use by another interpreter of this process")
    assert "WSGIDaemonProcess" in second


def test_parts_are_imported_when_they_are_first_used() -> None:
    python("import gatepass; gatepass.aio, gatepass.requests, gatepass.httpx; gatepass.flask, gatepass.asgi")
    python("from gatepass import *; fetch_id_token")
    with pytest.raises(AssertionError, match="has no attribute 'nothing'"):
        python("import gatepass; gatepass.nothing")


def test_a_token_can_be_had_when_the_program_ends(adc: Emulator) -> None:
    """Some versions of Python start no more threads then."""
    program = "import atexit, gatepass; atexit.register(lambda: print(len(gatepass.fetch_id_token('a'))))"
    assert int(python(program)) > 100


def test_the_types_are_strict() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental"]
    files = ["src/gatepass", "tests/user_program.py"]
    done = subprocess.run([*command, *files], cwd=PACKAGE, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr


PROGRAM = """
import gatepass
token = gatepass.fetch_id_token("https://receiver.example")
verifier = gatepass.Verifier("https://receiver.example", keys_url="KEYS_URL")
print(gatepass.__version__, verifier.verify(token)["aud"])
"""


@pytest.mark.timeout(1800)  # It compiles the core, in release mode.
def test_installed_from_the_checkout_a_program_runs(adc: Emulator, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=120)
    interpreter = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(interpreter), "-m", "pip", "install", "--quiet", str(PACKAGE)]
    subprocess.run(install, check=True, cwd=tmp_path, env=ENVIRONMENT, timeout=1500)
    output = python(PROGRAM.replace("KEYS_URL", adc.keys_url), interpreter)
    assert output.split() == ["0.1.0", "https://receiver.example"]
