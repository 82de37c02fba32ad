"""Work in threads, and futures for those who wait for it."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any

    from gatepass._types import T


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
