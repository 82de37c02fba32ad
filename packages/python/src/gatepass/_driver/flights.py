"""Who carries out an operation, and who waits for it.

An operation that others may join is a flight. The core decides who flies it; the waiting is done here. Work
that waits is a generator, a conversation: it yields the future to wait for. `run` waits with a thread,
`run_async` with an event loop; all else is the same, so threads and tasks join each other's flights.

Each flight has a thread of its own, a task's as well. If it needed the task's event loop, it would never land
once the loop's thread itself waits for it, in a call that is not awaited.
"""

from __future__ import annotations

import os
import threading
import weakref

from gatepass._driver.steps import begin, drive, is_end
from gatepass._driver.threads import in_thread, pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from typing import Any

    from gatepass import _native
    from gatepass._types import Clock, Conversation, Step, Supplier, T

# Seconds after which whoever waits looks again in any case.
PATIENCE = 5.0


def run(conversation: Conversation[T]) -> T:
    """Holds a conversation; the calling thread waits."""
    from concurrent.futures import wait

    try:
        while True:
            wait([next(conversation)], PATIENCE)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        conversation.close()


async def run_async(conversation: Conversation[T]) -> T:
    """Holds a conversation; the event loop goes on meanwhile. Cancelling ends the conversation."""
    import asyncio

    try:
        while True:
            waiting = asyncio.wrap_future(next(conversation))
            try:
                await asyncio.wait([waiting], timeout=PATIENCE)
            finally:
                waiting.cancel()
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        conversation.close()


class Flights:
    """The flights of one source or verifier, and who waits for them.

    Who is told to join makes the flight's future, and whoever flies it sets that future at the end. No
    wake-up is lost: the core is asked and the future made under one hold of the lock, and a flight is given
    up in the core before the lock is taken to set its future.
    """

    __slots__ = ("__weakref__", "_clock", "_lock", "_suppliers", "_waiting")

    def __init__(self, clock: Clock, suppliers: Mapping[str, Supplier] | None = None) -> None:
        self._clock = clock
        self._suppliers = dict(suppliers or {})
        self._begin()
        _all_flights.add(self)

    def ask(self, question: Callable[[], T]) -> tuple[T, Future[Any] | None]:
        """Asks the core. If its answer is to join a flight, the future to wait for comes with it."""
        future = pending()
        with self._lock:
            answer = question()
            if isinstance(answer, tuple) and answer[0] == "join":
                return answer, self._waiting.setdefault(answer[-2], future)
        return answer, None

    def fly(self, op: _native.Op) -> Conversation[Step | None]:
        """Carries an operation out; gives the token, or None when it was for keys."""
        try:
            # Here, for what takes no more than computing, such as a signature, needs no thread.
            steps = [begin(op, self._clock)]
            if is_end(steps[0]):
                return drive(op, self._clock, self._suppliers, steps.pop())
            flown = self.fly_behind(op, steps)
            while not flown.done():
                yield flown
            return flown.result()
        finally:
            self._land(op)  # If the caller has been cancelled, somebody else is to fly at once.

    def fly_behind(self, op: _native.Op, steps: list[Step] | None = None) -> Future[Step | None]:
        """Carries an operation out, from this one step if it has begun, while the caller goes on. The core
        remembers if it fails."""

        def work() -> Step | None:
            try:
                # Taken out: error reporters show the variables of a frame, and a step may hold a key.
                return drive(op, self._clock, self._suppliers, steps.pop() if steps else None)
            finally:
                self._land(op)

        return in_thread(work)

    def _land(self, op: _native.Op) -> None:
        op.cancel()
        with self._lock:
            future = None if op.flight is None else self._waiting.pop(op.flight, None)
        if future is not None:
            future.set_result(None)

    def _begin(self) -> None:
        # Reentrant: the garbage collector may close an abandoned task, which lands its flight, at any moment.
        self._lock = threading.RLock()
        self._waiting: dict[int, Future[Any]] = {}


_all_flights: weakref.WeakSet[Flights] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    """Gives up what the parent's threads had under way, as the native module does: they are not here."""
    for flights in _all_flights:
        flights._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
