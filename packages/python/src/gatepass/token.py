"""A token to send, and when it ends."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Token"]


class Token:
    """A token to send. Its repr does not show it."""

    __slots__ = ("expires_at", "header", "token")

    def __init__(self, token: str, header: str, expires_at: float) -> None:
        self.token = token
        """The token itself."""
        self.header = header
        """The value of a header `Authorization` with it."""
        self.expires_at = expires_at
        """When it ends, in Unix seconds."""

    @property
    def expires(self) -> datetime:
        """When it ends, in UTC."""
        from datetime import datetime, timezone

        return datetime.fromtimestamp(self.expires_at, timezone.utc)

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at})"
