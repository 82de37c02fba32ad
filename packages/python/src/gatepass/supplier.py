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
