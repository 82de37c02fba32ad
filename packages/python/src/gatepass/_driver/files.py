"""Reads files, in a time limit."""

from __future__ import annotations

import os
import stat

from gatepass._driver.limit import Limit
from gatepass._driver.replies import BYTES, failed, text
from gatepass._driver.threads import in_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Reply, Step


def read_file(step: Step) -> Reply:
    """Reads a file to its end. A thread does it: on a dead mount no system call can be interrupted, and that
    thread alone stays behind."""
    from concurrent.futures import wait

    limit = Limit(step["timeout_ms"])
    reading = in_thread(lambda: _read(step["path"], limit))
    wait([reading], limit.left())
    try:
        if not reading.done():
            raise TimeoutError
        data = reading.result()
    except (FileNotFoundError, NotADirectoryError):
        return failed("not_found", "no such file")
    except PermissionError:
        return failed("permission_denied", "permission denied")
    except TimeoutError:
        return failed("timeout", f"not read within {limit.timeout_ms} ms")
    if len(data) > BYTES:
        return failed("too_large", "over 1 MiB")
    return {"reply": "text", "text": text(data)}


def _read(path: str, limit: Limit) -> bytes:
    # A pipe that nobody writes to blocks neither here nor below.
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(opened, "rb", buffering=0) as file:
        data = b""
        is_pipe = not stat.S_ISREG(os.fstat(opened).st_mode)
        while len(data) <= BYTES:
            if is_pipe:
                _await_more(opened, limit)
            more = file.read(BYTES + 1 - len(data))
            if not more:
                break
            data += more
        return data


def _await_more(opened: int, limit: Limit) -> None:
    import select

    if not select.select([opened], [], [], limit.left())[0]:
        raise TimeoutError
