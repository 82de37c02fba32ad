"""Calls the user's own functions for subject tokens."""

from __future__ import annotations

from gatepass._driver.replies import failed, text
from gatepass.supplier import SubjectTokenRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from gatepass._types import Reply, Step, Supplier


def supply(step: Step, suppliers: Mapping[str, Supplier]) -> tuple[Reply, Exception | None]:
    """Calls a supplier. An exception that it raises comes with the reply, which names no more than its type:
    the text is the user's, and may hold a secret."""
    supplier = suppliers.get(step["supplier"])
    if supplier is None:
        known = ", ".join(sorted(suppliers)) or "none"
        message = f"no supplier of this name is registered; registered are: {known}"
        return failed("not_found", message), None
    try:
        token = supplier(SubjectTokenRequest(step["audience"], step["token_type"]))
        if not isinstance(token, str) and hasattr(token, "__await__"):
            token = _await(token)
    except Exception as error:
        return _failed_by(error)
    if not isinstance(token, str):
        return _failed_by(TypeError(f"the supplier gave {type(token).__name__}, expected str"))
    return {"reply": "text", "text": text(token.encode(errors="replace"))}, None


def _failed_by(error: Exception) -> tuple[Reply, Exception]:
    return failed("other", type(error).__name__), error


def _await(token: Awaitable[str]) -> str:
    import asyncio

    async def supplied() -> str:
        return await token

    # The caller's loop may be blocked by a call that waits for just this, or there may be none.
    return asyncio.run(supplied())
