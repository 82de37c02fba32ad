"""Who carries out an operation, and who waits for it.

An operation that others may join is a flight. The core decides who starts it; then it belongs to nobody: it
has a thread of its own and the core's time limits, and all who want its result wait for it, also the one who
started it. A deadline or a cancellation ends the waiting and never the flight.

Work that waits is a generator, a conversation: it yields the future to wait for. `run` waits with a thread,
`run_async` with an event loop, asyncio's or trio's, `run_by_callback` with neither; all else is the same, so
threads and tasks join each other's flights.
"""

from __future__ import annotations

import os
import threading
import weakref

from gatepass._clock import readings
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
    from gatepass._driver.loops import wait

    try:
        while True:
            await wait(next(conversation), PATIENCE)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        conversation.close()


def run_by_callback(conversation: Conversation[T]) -> Future[T]:
    """Holds a conversation; nobody waits: it goes on where a flight ends, on its thread."""
    result: Future[T] = pending()

    def go_on(_: object = None) -> None:
        try:
            next(conversation).add_done_callback(go_on)
        except StopIteration as end:
            result.set_result(end.value)
        except Exception as error:
            result.set_exception(error)

    go_on()
    return result


class Flights:
    """The flights of one source or verifier, and who waits for them.

    Whoever has to join makes the flight's future, and the flight sets it at its end. No wake-up is lost: the
    core is asked and the future made under one hold of the lock, and a flight is given up in the core before
    the lock is taken to set its future.
    """

    __slots__ = ("__weakref__", "_lock", "_now", "_suppliers", "_waiting")

    def __init__(self, clock: Clock, suppliers: Mapping[str, Supplier] | None = None) -> None:
        self._now = readings(clock)
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

    def start(self, op: _native.Op) -> Future[Step | None]:
        """Starts an operation; gives the future of the token, or of None when it was for keys."""
        future = pending()
        try:
            # Here, for what takes no more than computing, such as a signature, needs no thread.
            steps = [begin(op, self._now)]
            if not is_end(steps[0]):
                return in_thread(lambda: self._fly(op, steps))
            future.set_result(self._fly(op, steps))
        except Exception as error:
            # Where nobody flew, such as when the user's clock raises. Twice does no harm.
            self._land(op)
            future.set_exception(error)
        except BaseException:  # An interruption, before anybody flew.
            self._land(op)
            raise
        return future

    def _fly(self, op: _native.Op, steps: list[Step]) -> Step | None:
        try:
            # Taken out: error reporters show the variables of a frame, and a step may hold a key.
            return drive(op, self._now, self._suppliers, steps.pop())
        finally:
            self._land(op)

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
