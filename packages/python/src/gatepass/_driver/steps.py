"""Carries an operation out, step by step."""

from __future__ import annotations

import os
import time

from gatepass._driver.replies import LOOKS, failed, text
from gatepass.errors import GatepassError, error_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatepass import _native
    from gatepass._types import Now, Reply, Step, Supplier


def begin(op: _native.Op, now: Now) -> Step:
    """An operation's first step, which waits for nothing."""
    step: Step = op.resume(*now(), {"reply": "start"})
    return step


def is_end(step: Step) -> bool:
    """Whether nothing is left to be carried out."""
    return step["step"] in ("done", "fail")


def drive(
    op: _native.Op, now: Now, suppliers: Mapping[str, Supplier], step: Step | None = None
) -> Step | None:
    """Carries an operation out, from this step if it has begun, to its end; gives its output."""
    step = begin(op, now) if step is None else step
    cause: BaseException | None = None
    for _ in range(LOOKS):
        if step["step"] == "done":
            result: Step | None = step["output"]
            return result
        if step["step"] == "fail":
            raise error_from(step["error"]) from cause
        if step["step"] == "supply":  # The user sees the exception itself, the core no more than its type.
            from gatepass._driver.suppliers import supply

            reply, cause = supply(step, suppliers)
        else:
            reply = perform(step)
        step = op.resume(*now(), reply)
        reply = {}  # Error reporters show the variables of a frame: a reply may hold a key.
    raise GatepassError("an operation did not end", code="API_MISUSE")


def perform(step: Step) -> Reply:
    """Carries one step out."""
    try:
        match step["step"]:
            case "read_env":
                names = [name for name in step["names"] if name in os.environ]
                values = {name: text(os.fsencode(os.environ[name])) for name in names}
                return {"reply": "env", "values": values}
            case "read_file":
                from gatepass._driver import files

                return files.read_file(step)
            case "send":
                from gatepass._driver import exchange

                return exchange.send(step)
            case "run":
                from gatepass._driver import process

                return process.run(step)
            case "wait":
                time.sleep(step["delay_ms"] / 1000)
                return {"reply": "elapsed"}
            case kind:
                return failed("unsupported", f"this package cannot carry out the step {kind}")
    except Exception as error:  # Whatever a host meets is for the core to judge.
        return failed("other", type(error).__name__)
