"""The keys of issuers, which verifiers share."""

from __future__ import annotations

import time

from gatepass import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gatepass._driver.flights import Flights
    from gatepass._types import Clock


class Keys:
    """Keys, and the flights that fetch them. Verifiers that name the same place share both."""

    __slots__ = ("_clock", "_late", "native")

    def __init__(self, clock: Clock) -> None:
        self.native = _native.KeyCache()
        self._clock = clock
        self._late: dict[str, Flights] = {}

    @property
    def flights(self) -> Flights:
        """Made when they are first needed: a verifier that is given its keys needs no threads."""
        from gatepass._driver.flights import Flights

        # Threads that come first at once all get the ones that setdefault keeps.
        made = self._late.get("flights")
        return made or self._late.setdefault("flights", Flights(self._clock))


def keys_for(clock: Clock) -> Keys:
    """The keys that the whole process shares; by another clock, their ages are others."""
    if clock is not time.time:
        return Keys(clock)
    return _default.get("keys") or _default.setdefault("keys", Keys(clock))


_default: dict[str, Keys] = {}
