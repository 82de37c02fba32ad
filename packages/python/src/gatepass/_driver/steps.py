"""Carries out what the core asks for: the one place in this package where files are read and sockets opened.

Nothing is decided here. Nothing is logged: steps and replies hold secrets.
"""

from __future__ import annotations

import os
import time

from gatepass._driver.replies import OCTETS, failed, text
from gatepass._driver.suppliers import supply
from gatepass._driver.threads import in_thread
from gatepass.errors import GatepassError, error_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gatepass import _native
    from gatepass._types import Clock, Reply, Step, Supplier

# More steps than any operation takes, and more looks than any caller needs: nothing goes round for ever.
LIMIT = 1_000


def begin(op: _native.Op, clock: Clock) -> Step:
    """An operation's first step, which waits for nothing."""
    step: Step = op.resume(clock() * 1000, {"reply": "start"})
    return step


def is_end(step: Step) -> bool:
    """Whether nothing is left to be carried out."""
    return step["step"] in ("done", "fail")


def drive(
    op: _native.Op, clock: Clock, suppliers: Mapping[str, Supplier], step: Step | None = None
) -> Step | None:
    """Carries an operation out, from this step if it has begun, to its end; gives the token, the audiences,
    or None when it was for keys."""
    step = begin(op, clock) if step is None else step
    cause: Exception | None = None
    for _ in range(LIMIT):
        if step["step"] == "done":
            result: Step | None = step["output"]
            return result
        if step["step"] == "fail":
            raise error_from(step["error"]) from cause
        if step["step"] == "supply":  # The user sees the exception itself, the core no more than its type.
            reply, cause = supply(step, suppliers)
        else:
            reply = _perform(step, clock)
        step = op.resume(clock() * 1000, reply)
        reply = {}  # Error reporters show the variables of a frame: a reply may hold a key.
    raise GatepassError("an operation did not end", code="API_MISUSE")


def _perform(step: Step, clock: Clock) -> Reply:
    try:
        match step["step"]:
            case "read_env":
                names = [name for name in step["names"] if name in os.environ]
                values = {name: text(os.fsencode(os.environ[name])) for name in names}
                return {"reply": "env", "values": values}
            case "read_file":
                return _read_file(step["path"])
            case "send":
                return _send(step)
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


def _read_file(path: str) -> Reply:
    try:
        with open(path, "rb") as file:
            octets = file.read(OCTETS + 1)
    except (FileNotFoundError, NotADirectoryError):
        return failed("not_found", "no such file")
    except PermissionError:
        return failed("permission_denied", "permission denied")
    if len(octets) > OCTETS:
        return failed("too_large", "over 1 MiB")
    return {"reply": "text", "text": text(octets)}


def _send(step: Step) -> Reply:
    from concurrent.futures import wait

    # In a thread that can be left alone: a socket's own time limit covers neither the look-up of a name nor a
    # server that sends an octet now and then.
    exchange = in_thread(lambda: _exchange(step))
    wait([exchange], step["timeout_ms"] / 1000)
    late = f"{_host(step)}: no answer within {step['timeout_ms']} ms"
    return exchange.result() if exchange.done() else failed("timeout", late)


def _exchange(step: Step) -> Reply:
    from http.client import HTTPException, IncompleteRead
    from urllib import request as http

    # Without the handlers that follow redirects and raise errors for a status: both are answers here.
    opener = http.OpenerDirector()
    opener.addheaders = []
    opener.add_handler(http.ProxyHandler({} if step["route"] == "direct" else None))
    if step["url"].startswith("https:"):
        from gatepass._driver import tls

        try:
            opener.add_handler(http.HTTPSHandler(context=tls.context(step)))
        except tls.UnusableFile as error:
            return failed("other", str(error))
    else:
        opener.add_handler(http.HTTPHandler())
    data = None if step["body"] is None else step["body"].encode()
    request = http.Request(step["url"], data, dict(step["headers"]), method=step["method"])
    try:
        with opener.open(request, timeout=step["timeout_ms"] / 1000) as response:
            body = response.read(OCTETS + 1)
            if len(body) > OCTETS:
                return failed("too_large", f"{_host(step)}: an answer of over 1 MiB")
            if response.length:
                raise IncompleteRead(b"")
            headers = [(name, str(value)) for name, value in response.headers.items()]
            return {"reply": "response", "status": response.status, "headers": headers, "body": text(body)}
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        kind = "timeout" if isinstance(reason, TimeoutError) else "connect"
        what = str(reason) if isinstance(reason, OSError) else type(reason).__name__
        return failed(kind, f"{_host(step)}: {what}")


def _host(step: Step) -> str:
    host: str = step["url"].partition("://")[2].partition("/")[0]
    return host
