"""The border between this package and the core; the other side is `bindings/python`.

What fails is raised as the package's own errors.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, final

from typing_extensions import Self

from gatepass._types import Reply, Step
from gatepass.claims import Claims

version: str
"""The version of gatepass, the same in all its packages."""

def error_codes() -> list[dict[str, Any]]: ...
def limits() -> dict[str, int]: ...
def token_headers() -> list[str]: ...
def refusal_log(error: dict[str, Any], path: str) -> dict[str, str]: ...
def open_verifier(options: dict[str, Any], keys: KeyCache) -> Op: ...
def audience_for_url(url: str) -> str: ...
def same_audience_spellings(audience: str) -> list[str]: ...
def own_audiences() -> Op: ...
def monotonic() -> float: ...
def bind() -> None: ...
def plan_call(call: dict[str, Any]) -> dict[str, Any]: ...
def explain(options: dict[str, Any], token: str, now_ms: float) -> dict[str, Any]: ...
def to_json(value: Any) -> str: ...

@final
class Op:
    @property
    def flight(self) -> int | None: ...
    def resume(self, now_ms: float, monotonic_ms: float, reply: Reply) -> Step: ...
    def cancel(self) -> None: ...

@final
class KeyCache:
    def __new__(cls) -> KeyCache: ...

@final
class Source:
    def __new__(cls, options: dict[str, Any]) -> Source: ...
    def lookup(
        self,
        kind: Literal["id_token", "access_token", "self_signed_jwt"],
        target: str,
        now_ms: float,
        monotonic_ms: float,
    ) -> tuple[
        Literal["fresh", "stale", "fetch", "join"],
        str | None,  # header
        int,  # expires_at_ms
        int,  # fresh_until_ms
        int,  # fresh_until_monotonic_ms
        int | None,  # flight
        Op | None,
    ]: ...
    def retry_after_refusal(
        self, kind: str, target: str, header: str, status: int, now_ms: float, monotonic_ms: float
    ) -> bool: ...
    def invalidate(self, kind: str, target: str, header: str, now_ms: float, monotonic_ms: float) -> bool: ...
    def principal(self) -> Op: ...
    def sign_bytes(self, data: bytes, /) -> Op: ...
    def access_token_headers(self) -> list[tuple[str, str]]: ...

class TokenSource:
    """What `gatepass.TokenSource` is made of."""

    _id_tokens: dict[str, tuple[float, float, str, str, float]]
    def __new__(cls, clock: Callable[[], float], monotonic: Callable[[], float] | None) -> Self: ...
    def fetch_id_token(self, audience: str) -> str:
        """The ID token for `audience`: the receiver's URL, a custom audience, or the OAuth client id of IAP.

        Raises:
            CredentialsError: The credentials cannot be found, read or used.
            TransportError: The endpoint that gives the token cannot be reached.
            GatepassError: The audience makes no sense.
        """

    def id_token_header(self, audience: str) -> str:
        """The value of an `Authorization` header with the token of `fetch_id_token`."""

Undecided: TypeAlias = tuple[
    Literal["accepted", "needs_keys", "join"],
    Claims | None,
    int | None,  # flight
    Op | None,
]

class Verifier:
    """What `gatepass.Verifier` is made of."""

    def __new__(cls, op: Op, clock: Callable[[], float], monotonic: Callable[[], float] | None) -> Self: ...
    def verify(self, token: str | bytes) -> Claims:
        """The claims of a token that is accepted.

        Raises:
            VerifyError: The token is refused, or the issuer's keys cannot be had; `code` says why.
        """

    def _check(self, token: str | bytes) -> Claims | Undecided: ...
    def _token_from_headers(
        self,
        authorization: str | None,
        x_serverless_authorization: str | None,
        x_goog_iap_jwt_assertion: str | None,
    ) -> str: ...
    def _explain(self, token: str, place: dict[str, str | None]) -> dict[str, Any]: ...
