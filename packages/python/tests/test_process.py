"""Programs that are run for a subject token."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatepass._driver import process, replies
from steps import perform


def run(*argv: str, **changed: Any) -> dict[str, Any]:
    return perform({"step": "run", "argv": argv, "env": [], "timeout_ms": 60_000, **changed})


def python(program: str, *arguments: str, **changed: Any) -> dict[str, Any]:
    return run(sys.executable, "-c", program, *arguments, **changed)


def test_a_program_gets_its_arguments_as_they_stand() -> None:
    arguments = ["a b", "$HOME; exit 1", "", "*", "caf\u00e9"]
    reply = python("import sys; print(ascii(sys.argv[1:]), end='')", *arguments)
    assert reply == {"reply": "exited", "status": 0, "stdout": ascii(arguments), "stderr": ""}


def test_variables_are_added_to_those_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPASS_A", "host's")
    monkeypatch.setenv("GATEPASS_B", "host's")
    program = "import os; print(os.environ['GATEPASS_A'], os.environ['GATEPASS_B'], end='')"
    assert python(program, env=[["GATEPASS_B", "step's"]])["stdout"] == "host's step's"
    assert os.environ["GATEPASS_B"] == "host's"


def test_input_is_empty_and_errors_are_kept(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = "import sys; print(sys.stdin.read() == '', end=''); print('hush', file=sys.stderr)"
    (tmp_path / "input").write_text("for us")
    ours = os.dup(0)
    with open(tmp_path / "input") as file:
        os.dup2(file.fileno(), 0)
        try:
            reply = python(program)
            assert (reply["stdout"], reply["stderr"]) == ("True", "hush\n")
        finally:
            os.dup2(ours, 0)
            os.close(ours)
    assert capfd.readouterr() == ("", "")


def test_output_that_is_no_text_comes_with_replacements() -> None:
    assert python("import sys; sys.stdout.buffer.write(b'a\\xff')")["stdout"] == "a\ufffd"


def test_a_status_is_no_failure() -> None:
    reply = python("import sys; print('why', end=''); sys.exit(3)")
    assert reply == {"reply": "exited", "status": 3, "stdout": "why", "stderr": ""}


@pytest.mark.skipif(os.name == "nt", reason="this system has no signals")
def test_a_signal_is_a_status_above_128() -> None:
    assert python("import os; os.kill(os.getpid(), 9)")["status"] == 137


def test_an_output_is_capped() -> None:
    program = "import sys; sys.stdout.write('a' * int(sys.argv[1]))"
    assert len(python(program, str(replies.BYTES))["stdout"]) == replies.BYTES
    assert python(program, str(replies.BYTES + 1))["kind"] == "too_large"


def test_errors_are_cut_and_read_to_their_end() -> None:
    program = "import sys; sys.stderr.write('a' * 3_000_000); print('done', end='')"
    reply = python(program)
    assert (reply["stdout"], reply["stderr"]) == ("done", "a" * process.STDERR_BYTES)


@pytest.mark.skipif(os.name == "nt", reason="this system has no signals to pause for")
def test_a_program_that_writes_too_much_is_ended() -> None:
    """It would go on although nobody listens."""
    program = """
import os, signal
try:
    while True:
        os.write(1, b"a" * 4096)
except BrokenPipeError:
    signal.pause()
"""
    assert python(program, timeout_ms=20_000)["kind"] == "too_large"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no process groups")
@pytest.mark.parametrize("ends", ["signal.pause()", "os._exit(0) if parent else signal.pause()"])
def test_a_program_that_does_not_end_is_ended_with_all_that_it_has_started(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or that has ended, while what it has started keeps its output open."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    program = f"""
import os, signal, sys
file = open(sys.argv[1], "wb", 0)
parent = os.fork()
file.write(b"a")
{ends}
"""
    with Limits(fifo) as limits:
        monkeypatch.setattr(process, "Limit", limits)
        reply = python(program, str(fifo), timeout_ms=5000)
        assert (reply["kind"], "5000 ms" in reply["message"]) == ("timeout", True)
        assert limits.file.read() == b"", "both have let go of the file"


class Limits:
    """Makes limits that have passed once two have written to a named pipe, whose end shows that nobody has it
    open for writing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, timeout_ms: float) -> Limits:
        self.timeout_ms = timeout_ms
        return self

    def __enter__(self) -> Limits:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def left(self) -> float:
        self.file = self._path.open("rb")
        assert self.file.read(2) == b"aa"
        raise TimeoutError


def no_file(path: Path) -> None:
    pass


def below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


def folder(path: Path) -> None:
    path.mkdir()


def text(path: Path) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o600)


def no_program(path: Path) -> None:
    path.write_bytes(b"\0")
    path.chmod(0o700)


@pytest.mark.skipif(os.name == "nt", reason="this system knows programs by their names")
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (no_file, "not_found"),
        (below_a_file, "not_found"),
        (folder, "permission_denied"),
        (text, "permission_denied"),
        (no_program, "other"),
    ],
)
def test_what_cannot_be_run(make: Callable[[Path], None], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "program"
    path.parent.mkdir()
    make(path)
    reply = run(str(path))
    assert (reply["kind"], str(path) in reply["message"]) == (kind, True)


def test_an_argument_that_no_system_takes() -> None:
    assert run("a\0b")["kind"] == "other"
