"""Calls the user's own functions for subject tokens."""

from __future__ import annotations

from gatepass._driver.limit import Limit
from gatepass._driver.replies import failed, text
from gatepass._driver.threads import in_thread
from gatepass.supplier import SubjectTokenRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from typing import Any

    from gatepass._types import Reply, Step, Supplier


def supply(step: Step, suppliers: Mapping[str, Supplier]) -> tuple[Reply, BaseException | None]:
    """Calls a supplier. An exception that it raises comes with the reply, which names no more than its type:
    the text is the user's, and may hold a secret."""
    supplier = suppliers.get(step["supplier"])
    if supplier is None:
        known = ", ".join(sorted(suppliers)) or "none"
        message = f"no supplier of this name is registered; registered are: {known}"
        return failed("not_found", message), None
    from concurrent.futures import wait

    limit = Limit(step["timeout_ms"])
    request = SubjectTokenRequest(step["audience"], step["token_type"])
    # Nobody can interrupt a function: the thread stays until it returns. A coroutine is cancelled.
    supplying = in_thread(lambda: _supplied(supplier, request, limit))
    wait([supplying], limit.left())
    if not supplying.done():
        return failed("timeout", f"the supplier gave nothing within {limit.timeout_ms} ms"), None
    try:
        token = supplying.result()
    except BaseException as error:
        return _failed_by(error)
    if not isinstance(token, str):
        return _failed_by(TypeError(f"the supplier gave {type(token).__name__}, expected str"))
    return {"reply": "text", "text": text(token.encode(errors="replace"))}, None


def _failed_by(error: BaseException) -> tuple[Reply, BaseException]:
    return failed("other", type(error).__name__), error


def _supplied(supplier: Supplier, request: SubjectTokenRequest, limit: Limit) -> Any:
    token = supplier(request)
    # Whatever else it gives is found out later.
    return token if isinstance(token, str) or not hasattr(token, "__await__") else _awaited(token, limit)


def _awaited(token: Awaitable[str], limit: Limit) -> str:
    import asyncio

    async def supplied() -> str:
        return await asyncio.wait_for(token, limit.left())

    # The caller's loop may be blocked by a call that waits for just this, or there may be none.
    return asyncio.run(supplied())
