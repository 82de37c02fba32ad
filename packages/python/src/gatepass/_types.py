"""Types for type checkers only: this module is never imported when a program runs."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

from gatepass.supplier import SubjectTokenRequest

ErrorCode: TypeAlias = Literal[
    "API_MISUSE",
    "INVALID_OPTION",
    "INVALID_AUDIENCE",
    "UNSUPPORTED",
    "INTERNAL",
    "CREDENTIALS_NOT_FOUND",
    "CREDENTIALS_FILE_UNREADABLE",
    "CREDENTIALS_FILE_INVALID",
    "CREDENTIALS_TYPE_UNKNOWN",
    "ENDPOINT_NOT_ALLOWED",
    "TOKEN_REFUSED",
    "TOKEN_RESPONSE_INVALID",
    "ID_TOKEN_UNSUPPORTED",
    "EXECUTABLE_NOT_ALLOWED",
    "SUBJECT_TOKEN_FAILED",
    "SELF_SIGNED_JWT_UNSUPPORTED",
    "SUBJECT_UNSUPPORTED",
    "CREDENTIALS_TYPE_UNEXPECTED",
    "CLIENT_CERTIFICATE_UNUSABLE",
    "CONNECTION_FAILED",
    "TIMEOUT",
    "ENDPOINT_UNAVAILABLE",
    "RESPONSE_TOO_LARGE",
    "REDIRECT_REFUSED",
    "TOKEN_MISSING",
    "TOKEN_MALFORMED",
    "TOKEN_TOO_LARGE",
    "ALG_NOT_ALLOWED",
    "TYP_MISMATCH",
    "CRIT_UNSUPPORTED",
    "UNKNOWN_KEY",
    "KEY_UNUSABLE",
    "BAD_SIGNATURE",
    "SIGNATURE_STRIPPED",
    "MISSING_CLAIM",
    "BAD_CLAIM_TYPE",
    "BAD_CLAIM",
    "BAD_ISSUER",
    "BAD_AUDIENCE",
    "TOKEN_EXPIRED",
    "TOKEN_NOT_YET_VALID",
    "TOKEN_ISSUED_IN_FUTURE",
    "EMAIL_NOT_ALLOWED",
    "EMAIL_NOT_VERIFIED",
    "KEYS_UNAVAILABLE",
    "SUBJECT_NOT_ALLOWED",
    "DISCOVERY_INVALID",
]
"""The codes of `GatepassError.code`: the core's closed list, so that a type checker finds a misspelt one."""

Preset: TypeAlias = Literal[
    "google",
    "cloud_run",
    "pubsub",
    "cloud_tasks",
    "cloud_scheduler",
    "eventarc",
    "iap",
    "firebase",
    "oidc",
]
"""The senders and issuers that gatepass knows by name."""

Algorithm: TypeAlias = Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""The algorithms of signatures that gatepass verifies (RFC 7518, section 3.1; RFC 8037)."""

Clock: TypeAlias = Callable[[], float]
"""Gives Unix time in seconds, as `time.time` does."""

Now: TypeAlias = Callable[[], tuple[float, float]]
"""Gives the milliseconds of the wall clock and of one that is never set."""

Strings: TypeAlias = str | Iterable[str]
"""One string, or several."""

Algorithms: TypeAlias = Algorithm | Iterable[Algorithm]
"""One algorithm, or several."""


class HeaderItems(Protocol):
    """The headers of a request, as any framework has them, or a dict."""

    def items(self) -> Iterable[tuple[Any, Any]]: ...


Headers: TypeAlias = HeaderItems | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
"""The headers of a request by name, or as pairs."""


class VerifierOptions(TypedDict, total=False):
    """What a `Verifier` is made of; each is described there."""

    audience: Strings | None
    any_audience: bool
    preset: Preset | None
    issuers: Strings | None
    algorithms: Algorithms
    keys: str | Mapping[str, Any] | None
    keys_url: str | None
    leeway_seconds: int | None
    allowed_emails: Strings | None
    allowed_subjects: Strings | None
    any_caller: bool
    trust_cloud_run_and_skip_signature: bool
    remembered_bytes: int | None


TokenHeader: TypeAlias = Literal["authorization", "x-serverless-authorization", "both"]
"""The header of a call that bears the token."""

Reason: TypeAlias = Literal["missing", "mismatch", "invalid", "not_allowed"]
"""What is the matter with a claim or header parameter."""

Supplier: TypeAlias = Callable[[SubjectTokenRequest], str | Awaitable[str]]
"""Gives the subject token of a workload elsewhere; a function, or an async one."""

Step: TypeAlias = Mapping[str, Any]
"""What the core asks for, as JSON."""

Reply: TypeAlias = Mapping[str, Any]
"""How it is answered, as JSON."""

T = TypeVar("T")

Conversation: TypeAlias = Generator[Future[Any], None, T]
"""Work that waits: it yields a future to wait for, and looks for itself when it is resumed."""
