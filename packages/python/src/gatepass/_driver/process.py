"""Runs the program that a credential file names (AIP-4117), with bounds on its time and its output."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess

from gatepass._driver.limit import Limit
from gatepass._driver.replies import BYTES, STDERR_BYTES, failed, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Reply, Step


def run(step: Step) -> Reply:
    """Runs a program without a shell, and without input. The limit ends it, and what it has started."""
    program = step["argv"][0]
    limit = Limit(step["timeout_ms"])
    try:
        process = subprocess.Popen(
            step["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
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
    try:
        stdout, stderr = _read(process, limit)
        if len(stdout) > BYTES:
            return failed("too_large", "an output of over 1 MiB")
        status = process.wait(limit.left())
    except (TimeoutError, subprocess.TimeoutExpired):
        return failed("timeout", f"{program}: did not end within {limit.timeout_ms} ms")
    finally:
        _end(process)
    return {
        "reply": "exited",
        # As a shell counts: a signal's number is negative here.
        "status": status if status >= 0 else 128 - status,
        "stdout": text(stdout),
        "stderr": text(stderr),
    }


def _read(process: subprocess.Popen[bytes], limit: Limit) -> tuple[bytes, bytes]:
    """Standard output and error, until both are closed or the first is too large."""
    if os.name == "nt":  # Pipes cannot be waited for together there.
        stdout, stderr = process.communicate(timeout=limit.left())
        return stdout, stderr[:STDERR_BYTES]
    assert process.stdout is not None and process.stderr is not None
    outputs = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe in outputs:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and len(outputs[process.stdout]) <= BYTES:
            for ready, _ in selector.select(limit.left()):
                data = os.read(ready.fd, 65536)
                if not data:
                    selector.unregister(ready.fileobj)
                elif ready.fileobj is process.stdout:
                    outputs[process.stdout] += data
                else:  # What is too much is read all the same, so that the program goes on.
                    outputs[process.stderr] += data[: STDERR_BYTES - len(outputs[process.stderr])]
    return bytes(outputs[process.stdout]), bytes(outputs[process.stderr])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Closes its pipes, and ends it if it has not ended."""
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    if process.returncode is not None:
        return
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait(1)  # It takes no time, unless the system itself holds the process.
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
