"""The border between this package and the core; the other side is `bindings/python`."""

from collections.abc import Callable
from typing import Literal, final

from gatepass.claims import Claims

version: str
"""The version of gatepass, the same in all its packages."""

class Failure(Exception):
    """An error of the core. Its only argument is the error's JSON form."""

def error_codes() -> str: ...
def audience_for_url(url: str) -> str: ...
def same_audience_spellings(audience: str) -> str: ...
def own_audiences() -> Op: ...
def explain(options: str, token: str, now_ms: float) -> str: ...

@final
class Op:
    @property
    def flight(self) -> int | None: ...
    def resume(self, now_ms: float, reply: str) -> str: ...
    def cancel(self) -> None: ...

@final
class Source:
    def __new__(cls, options: str) -> Source: ...
    def lookup(
        self, kind: Literal["id_token", "access_token", "self_signed_jwt"], target: str, now_ms: float
    ) -> tuple[
        Literal["fresh", "stale", "fetch", "join"],
        str | None,  # header
        int,  # expires_at_ms
        int,  # fresh_until_ms
        int | None,  # flight
        Op | None,
    ]: ...
    def access_token_headers(self) -> str: ...
    def abandon_flights(self) -> None: ...

@final
class Verifier:
    def __new__(cls, options: str, make_claims: Callable[[bytes, bool], Claims]) -> Verifier: ...
    def check(
        self, token: str | bytes, now_ms: float
    ) -> (
        Claims
        | tuple[
            Literal["accepted", "needs_keys", "join"],
            Claims | None,
            int | None,  # flight
            Op | None,
        ]
    ): ...
    def token_from_headers(
        self,
        authorization: str | None,
        x_serverless_authorization: str | None,
        x_goog_iap_jwt_assertion: str | None,
    ) -> str: ...
    def explain(self, token: str, place: str, now_ms: float) -> str: ...
    def abandon_flights(self) -> None: ...
