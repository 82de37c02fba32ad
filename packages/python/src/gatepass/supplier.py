"""Subject tokens from functions of the user's own, for workload identity federation.

A credential file names such a function instead of a file or a URL:

    source = gatepass.TokenSource(
        credentials_json={…, "credential_source": {"supplier": "ours"}},
        suppliers={"ours": lambda request: subject_token_for(request.audience)},
    )

It is called in a thread of gatepass's own, with a `SubjectTokenRequest`. An async function is awaited in an
event loop of its own, whoever asks for the token; a client session of another loop is of no use to it.
"""

from __future__ import annotations

from gatepass._replies import failed, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from gatepass._types import Reply, Step, Supplier

__all__ = ["SubjectTokenRequest"]


class SubjectTokenRequest:
    """What a supplier is asked for."""

    __slots__ = ("audience", "token_type")

    def __init__(self, audience: str, token_type: str) -> None:
        self.audience = audience
        """The provider of the identity pool, which the token is for."""
        self.token_type = token_type
        """The type of token that is expected, as a URN of RFC 8693, section 3."""

    def __repr__(self) -> str:
        return f"SubjectTokenRequest(audience={self.audience!r}, token_type={self.token_type!r})"


def supply(step: Step, suppliers: Mapping[str, Supplier]) -> tuple[Reply, Exception | None]:
    """Asks a supplier. An exception of its comes with the reply, which names no more than the type: the text
    is the user's, and may hold a secret."""
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
