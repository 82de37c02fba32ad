"""Carries out what the core asks for: the one place in this package with files and sockets.

Nothing is decided here. Nothing is logged: steps and replies hold secrets.
"""

from __future__ import annotations

import os
import threading
import time

from gatepass.errors import GatepassError, error_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any

    from gatepass import _native
    from gatepass._types import Clock, Reply, Step, T

# More steps than any operation takes, and more looks than any caller needs: nothing goes round for ever.
LIMIT = 1_000
# The most octets of a body or a file that are handed to the core (`BODY_LIMIT` in core/src/step.rs).
OCTETS = 1024 * 1024


def drive(op: _native.Op, clock: Clock) -> Step | None:
    """Carries an operation out, to its end; gives the token, or None when it was for keys."""
    import json

    reply: Reply = {"reply": "start"}
    for _ in range(LIMIT):
        now_ms = clock() * 1000
        step = json.loads(op.resume(now_ms, json.dumps(reply)))
        reply = {}  # Error reporters show the variables of a frame: a reply may hold a key.
        if step["step"] == "done":
            token: Step | None = step["token"]
            return token
        if step["step"] == "fail":
            raise error_from(step["error"])
        reply = _perform(step, now_ms)
    raise GatepassError("an operation did not end", code="API_MISUSE")


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Has a thread of its own do this work. A pool's might all be waiting for just this."""
    future = pending()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    try:
        threading.Thread(target=run, name="gatepass", daemon=True).start()
    except RuntimeError:  # The interpreter is ending, or the system has no thread to give.
        run()
    return future


def pending() -> Future[Any]:
    """A future that no waiter can cancel for the others."""
    from concurrent.futures import Future

    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def _perform(step: Step, now_ms: float) -> Reply:
    try:
        match step["step"]:
            case "read_env":
                names = [name for name in step["names"] if name in os.environ]
                values = {name: _text(os.fsencode(os.environ[name])) for name in names}
                return {"reply": "env", "values": values}
            case "read_file":
                return _read_file(step["path"])
            case "send" if step["client_certificate"] is None:
                return _send(step)
            case "send":
                return _failed("unsupported", "this package cannot present a client certificate")
            case "wait":
                time.sleep(max(0, step["until_ms"] - now_ms) / 1000)
                return {"reply": "elapsed"}
            case kind:
                return _failed("unsupported", f"this package cannot carry out the step {kind}")
    except Exception as error:  # Whatever a host meets is for the core to judge.
        return _failed("other", type(error).__name__)


def _read_file(path: str) -> Reply:
    try:
        with open(path, "rb") as file:
            text = file.read(OCTETS + 1)
    except (FileNotFoundError, NotADirectoryError):
        return _failed("not_found", "no such file")
    except PermissionError:
        return _failed("permission_denied", "permission denied")
    if len(text) > OCTETS:
        return _failed("too_large", "over 1 MiB")
    return {"reply": "text", "text": _text(text)}


def _send(step: Step) -> Reply:
    from concurrent.futures import wait

    # In a thread that can be left alone: a socket's own time limit covers neither the look-up of a name nor a
    # server that sends an octet now and then.
    exchange = in_thread(lambda: _exchange(step))
    wait([exchange], step["timeout_ms"] / 1000)
    late = f"{_host(step)}: no answer within {step['timeout_ms']} ms"
    return exchange.result() if exchange.done() else _failed("timeout", late)


def _exchange(step: Step) -> Reply:
    from http.client import HTTPException, IncompleteRead
    from urllib import request as http

    # Without the handlers that follow redirects and raise errors for a status: both are answers here.
    opener = http.OpenerDirector()
    opener.addheaders = []
    opener.add_handler(http.ProxyHandler({} if step["route"] == "direct" else None))
    # Making the one for https reads all certificates of the system.
    opener.add_handler(http.HTTPSHandler() if step["url"].startswith("https:") else http.HTTPHandler())
    data = None if step["body"] is None else step["body"].encode()
    request = http.Request(step["url"], data, dict(step["headers"]), method=step["method"])
    try:
        with opener.open(request, timeout=step["timeout_ms"] / 1000) as response:
            body = response.read(OCTETS + 1)
            if len(body) > OCTETS:
                return _failed("too_large", f"{_host(step)}: an answer of over 1 MiB")
            if response.length:
                raise IncompleteRead(b"")
            headers = [(name, str(value)) for name, value in response.headers.items()]
            return {"reply": "response", "status": response.status, "headers": headers, "body": _text(body)}
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        kind = "timeout" if isinstance(reason, TimeoutError) else "connect"
        what = str(reason) if isinstance(reason, OSError) else type(reason).__name__
        return _failed(kind, f"{_host(step)}: {what}")


def _host(step: Step) -> str:
    host: str = step["url"].partition("://")[2].partition("/")[0]
    return host


def _failed(kind: str, message: str) -> Reply:
    return {"reply": "failed", "kind": kind, "message": _text(message.encode(errors="replace"))}


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")
