"""The claims of the caller of a gRPC method."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatepass.claims import Claims

current: contextvars.ContextVar[Claims | None] = contextvars.ContextVar("gatepass.grpc.claims", default=None)


def claims() -> Claims | None:
    """The claims of the call that is being answered; None outside of one, and in one that was left open."""
    return current.get()
