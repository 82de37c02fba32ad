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
    assert reply == {"reply": "exited", "status": 0, "stdout": ascii(arguments)}


def test_variables_are_added_to_those_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPASS_A", "host's")
    monkeypatch.setenv("GATEPASS_B", "host's")
    program = "import os; print(os.environ['GATEPASS_A'], os.environ['GATEPASS_B'], end='')"
    assert python(program, env=[["GATEPASS_B", "step's"]])["stdout"] == "host's step's"
    assert os.environ["GATEPASS_B"] == "host's"


def test_input_is_empty_and_errors_are_thrown_away(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = "import sys; print(sys.stdin.read() == '', end=''); print('hush', file=sys.stderr)"
    (tmp_path / "input").write_text("for us")
    ours = os.dup(0)
    with open(tmp_path / "input") as file:
        os.dup2(file.fileno(), 0)
        try:
            assert python(program)["stdout"] == "True"
        finally:
            os.dup2(ours, 0)
            os.close(ours)
    assert capfd.readouterr() == ("", "")


def test_output_that_is_no_text_comes_with_replacements() -> None:
    assert python("import sys; sys.stdout.buffer.write(b'a\\xff')")["stdout"] == "a\ufffd"


def test_a_status_is_no_failure() -> None:
    reply = python("import sys; print('why', end=''); sys.exit(3)")
    assert reply == {"reply": "exited", "status": 3, "stdout": "why"}


@pytest.mark.skipif(os.name == "nt", reason="this system has no signals")
def test_a_signal_is_a_status_above_128() -> None:
    assert python("import os; os.kill(os.getpid(), 9)")["status"] == 137


def test_an_output_is_capped() -> None:
    program = "import sys; sys.stdout.write('a' * int(sys.argv[1]))"
    assert len(python(program, str(replies.OCTETS))["stdout"]) == replies.OCTETS
    assert python(program, str(replies.OCTETS + 1))["kind"] == "too_large"


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
def test_a_program_that_does_not_end_is_ended_with_all_that_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    both = "file = open(sys.argv[1], 'wb', 0); os.fork(); file.write(b'a'); signal.pause()"
    program = f"import os, signal, sys; {both}"
    with monkeypatch.context() as patch, Reader(fifo) as reader:
        patch.setattr(process, "wait", reader.expect_two)  # Time is up once both are there.
        reply = python(program, str(fifo), timeout_ms=5000)
        assert (reply["kind"], "5000 ms" in reply["message"]) == ("timeout", True)
        assert reader.seconds == 5
        assert reader.file.read() == b"", "both have let go of the file"


class Reader:
    """The reading end of a named pipe, whose end shows that nobody has it open for writing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def expect_two(self, futures: object, seconds: float) -> None:
        self.seconds = seconds
        self.file = self._path.open("rb")
        assert self.file.read(2) == b"aa"


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
