"""Waiting in an event loop."""

from __future__ import annotations

import sys

from gatepass.errors import GatepassError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any


async def wait(future: Future[Any], seconds: float) -> None:
    """Waits until the future is done, and no longer than this. A caller that is cancelled disturbs it not."""
    if _is_trios():
        await _wait_in_trio(future, seconds)
        return
    import asyncio

    try:
        waiting = asyncio.wrap_future(future)
    except RuntimeError:
        what = (
            "no event loop of asyncio or trio is running: await this in one, or call the function of threads"
        )
        raise GatepassError(what, code="API_MISUSE") from None
    try:
        await asyncio.wait([waiting], timeout=seconds)
    finally:
        waiting.cancel()


def _is_trios() -> bool:
    """Whether trio runs the caller. Who has not imported it is not run by it."""
    if "trio" not in sys.modules:
        return False
    import sniffio

    try:
        return sniffio.current_async_library() == "trio"
    except sniffio.AsyncLibraryNotFoundError:
        return False


async def _wait_in_trio(future: Future[Any], seconds: float) -> None:
    import trio

    loop, done = trio.lowlevel.current_trio_token(), trio.Event()

    def wake(_: object) -> None:
        try:
            loop.run_sync_soon(done.set)
        except trio.RunFinishedError:  # Nobody waits any more.
            pass

    future.add_done_callback(wake)
    with trio.move_on_after(seconds):
        await done.wait()
