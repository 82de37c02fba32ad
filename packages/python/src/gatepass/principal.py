"""Who credentials are, and what they sign: for adapters to other clients."""

from __future__ import annotations

__all__ = ["Principal", "Signature"]


class Principal:
    """Who the credentials of a source are."""

    __slots__ = ("email", "project_id")

    def __init__(self, email: str | None, project_id: str | None) -> None:
        self.email = email
        """The service account's e-mail, where there is one."""
        self.project_id = project_id
        """The project's id, where the credentials or the metadata server name one."""

    def __repr__(self) -> str:
        return f"Principal(email={self.email!r}, project_id={self.project_id!r})"


class Signature:
    """What a service account has signed."""

    __slots__ = ("key_id", "signature")

    def __init__(self, key_id: str | None, signature: bytes) -> None:
        self.key_id = key_id
        """The key that has signed, where that is known."""
        self.signature = signature
        """RSA with PKCS #1 v1.5 padding and SHA-256 (RS256)."""

    def __repr__(self) -> str:
        return f"Signature(key_id={self.key_id!r})"
