"""What the core is told: the parts of replies that every kind of step has in common."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Reply

# The most octets of a body, a file or an output that the core is given (`BODY_LIMIT` in core/src/step.rs).
OCTETS = 1024 * 1024


def failed(kind: str, message: str) -> Reply:
    """The step could not be carried out. The message reaches the user, so it holds no secret."""
    return {"reply": "failed", "kind": kind, "message": text(message.encode(errors="replace"))}


def text(octets: bytes) -> str:
    """Text that the core can read, whatever the octets are."""
    return octets.decode(errors="replace")
