"""The parts of replies that every kind of step has in common."""

from __future__ import annotations

from gatepass import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Reply

_limits = _native.limits()
# The most bytes of a body, a file or an output that the core gets, and of standard error.
BYTES = _limits["body_bytes"]
STDERR_BYTES = _limits["stderr_bytes"]
# More steps than any operation takes, and more looks than any caller needs: no loop is endless.
LOOKS = _limits["looks"]


def failed(kind: str, message: str) -> Reply:
    """The step could not be carried out. The message reaches the user, so it holds no secret."""
    return {"reply": "failed", "kind": kind, "message": text(message.encode(errors="replace"))}


def text(data: bytes) -> str:
    """Text that the core can read, whatever the bytes are."""
    return data.decode(errors="replace")
