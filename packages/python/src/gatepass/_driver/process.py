"""Runs the program that a credential file names (AIP-4117), with bounds on its time and its output."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import wait

from gatepass._driver.replies import OCTETS, failed, text
from gatepass._driver.threads import in_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Reply, Step


def run(step: Step) -> Reply:
    """Runs a program without a shell, and without input."""
    program = step["argv"][0]
    try:
        process = subprocess.Popen(
            step["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **dict(step["env"])},
            # A session is a process group too: what the program starts can be ended with it.
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError):
        return failed("not_found", f"{program}: no such program")
    except PermissionError:
        return failed("permission_denied", f"{program}: permission denied")
    except OSError as error:
        return failed("other", f"{program}: {error.strerror}")
    # In a thread that can be left alone: who inherits the output may keep it open longer than anybody waits.
    ended = in_thread(lambda: _await_end(process))
    wait([ended], step["timeout_ms"] / 1000)
    if ended.done():
        return ended.result()
    _kill(process)
    return failed("timeout", f"{program}: did not end within {step['timeout_ms']} ms")


def _await_end(process: subprocess.Popen[bytes]) -> Reply:
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read(OCTETS + 1)
    too_large = len(output) > OCTETS
    if too_large:
        _kill(process)
    status = process.wait()
    if too_large:
        return failed("too_large", "an output of over 1 MiB")
    # As a shell counts: a signal's number is negative here.
    return {"reply": "exited", "status": status if status >= 0 else 128 - status, "stdout": text(output)}


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass
