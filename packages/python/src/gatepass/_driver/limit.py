"""The end of a step's time."""

from __future__ import annotations

import time


class Limit:
    """A moment of the monotonic clock by which something has to end."""

    def __init__(self, timeout_ms: float) -> None:
        self.timeout_ms = timeout_ms
        self._end = time.monotonic() + timeout_ms / 1000

    def left(self) -> float:
        """The seconds that are left.

        Raises:
            TimeoutError: None are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
