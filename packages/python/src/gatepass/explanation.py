"""Explanations of tokens: what `gatepass.explain` and `Verifier.explain` give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Explanation", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    level: Literal["error", "warning", "note"]
    """How grave it is: the token is refused for an error, and may be by another receiver for a warning."""
    code: str | None
    """The code of the refusal that it leads to, if it leads to one by itself."""
    cause: str | None
    """What caused it, where that is known: a stable name in snake_case."""
    title: str
    """What it means."""
    found: str
    """What was found, and what was expected."""
    todo: str
    """What to change."""


@dataclass(frozen=True)
class Explanation:
    """What a text is that was sent as a token, and all that is wrong with it. `print` it to read it."""

    accepted: bool | None
    """Whether the receiver accepts it as it is. None where something that decides it is not known: the
    keys, the audience or the issuer."""
    kind: str
    """What it is, such as "google_id_token" or "access_token": a stable name in snake_case."""
    claims: dict[str, Any]
    """What it claims, believed or not: `iss`, `aud` as a list, `email`, `iat` and `exp` in Unix seconds."""
    findings: list[Finding]
    """What surrounds the token first, then the refusals in the order of the checks, then the rest."""
    text: str
    """All of it, for people."""

    def __str__(self) -> str:
        return self.text


def explanation_from(members: dict[str, Any]) -> Explanation:
    """Converts what the core found."""
    findings = [Finding(**finding) for finding in members.pop("findings")]
    return Explanation(findings=findings, **members)
