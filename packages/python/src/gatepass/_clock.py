"""The two clocks that the core is given."""

from __future__ import annotations

from gatepass import _native
from gatepass._arguments import function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._types import Clock, Now


def monotonic_of(clock: Clock) -> Clock:
    """Seconds of a clock that is never set, to go with this one; a test's clock may bring its own."""
    # On a suspended machine it may stop. The wall clock is ahead afterwards, and whatever has come by either
    # clock has come.
    function("clock", clock)
    found: Clock = getattr(clock, "monotonic", _native.monotonic)
    return found


def readings(clock: Clock) -> Now:
    """Gives the milliseconds of both clocks."""
    monotonic = monotonic_of(clock)
    return lambda: (clock() * 1000, monotonic() * 1000)
