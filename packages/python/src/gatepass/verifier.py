"""Tokens received: accepted or refused."""

from __future__ import annotations

import time

from gatepass import _native
from gatepass._driver import LIMIT
from gatepass._flights import Flights, run, run_async
from gatepass.errors import GatepassError, error_of
from gatepass.source import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, Protocol, TypeAlias

    from gatepass._types import Claims, Clock, Conversation, Strings

    # Status, claims, flight, operation.
    Undecided: TypeAlias = tuple[str, Claims | None, int | None, _native.Op | None]

    class Headers(Protocol):
        """The headers of a request, as any framework has them."""

        def get(self, name: str, /) -> str | None: ...


class Verifier:
    """Checks tokens. Make one and keep it: it caches keys, and threads and event loops may share it.

    Args:
        audience: This service's own audience, or several: the token must be for one of them.
        any_audience: Accept a token for anybody. Only for services that check `aud` themselves.
        preset: The issuer: "google" for ID tokens of service accounts and users, "iap" for Identity-Aware
            Proxy. It gives the next four where they are not given; None for another issuer.
        issuers: The values of `iss` that are accepted.
        algorithms: The algorithms that the issuer signs with.
        keys: The issuer's keys, a JWK set or a PEM map, as text or as what `json.load` makes of it.
        keys_url: Where the issuer publishes its keys.
        leeway_seconds: How far clocks may be apart.
        allowed_emails: The callers that are accepted. Without it, any.
        clock: Gives Unix time in seconds.

    Raises:
        GatepassError: An option makes no sense, or the audience is left open without saying so.
    """

    __slots__ = ("__weakref__", "_clock", "_flights", "_native")

    def __init__(
        self,
        audience: Strings | None = None,
        *,
        any_audience: bool = False,
        preset: Literal["google", "iap"] | None = "google",
        issuers: Strings = (),
        algorithms: Strings = (),
        keys: str | Mapping[str, Any] | None = None,
        keys_url: str | None = None,
        leeway_seconds: int | None = None,
        allowed_emails: Strings | None = None,
        clock: Clock = time.time,
    ) -> None:
        import json

        options: dict[str, Any] = {
            "audiences": as_list(audience),
            "any_audience": any_audience,
            "preset": preset,
            "issuers": as_list(issuers),
            "algorithms": as_list(algorithms),
            "keys": keys if keys is None or isinstance(keys, str) else json.dumps(keys),
            "keys_url": keys_url,
            "leeway_seconds": leeway_seconds,
        }
        if allowed_emails is not None:
            options["allowed_emails"] = as_list(allowed_emails)
        try:
            self._native = _native.Verifier(json.dumps(options))
        except _native.Failure as failure:
            raise error_of(failure) from None
        self._clock = clock
        self._flights = Flights(self._native, clock)

    def verify(self, token: str | bytes) -> Claims:
        """The claims of a token that is accepted, in a dictionary of the caller's own.

        Raises:
            VerifyError: The token is refused, or the issuer's keys cannot be had; `code` says why.
        """
        verdict = self._check(token)
        return verdict if isinstance(verdict, dict) else run(self._verify(token, verdict))

    def token_from_headers(self, headers: Headers) -> str:
        """The token of a request, from the header that counts: `X-Serverless-Authorization` before
        `Authorization`, or `X-Goog-IAP-JWT-Assertion` alone with the preset "iap".

        Args:
            headers: Whatever has a `get` that knows names in any case; a framework's headers do.

        Raises:
            VerifyError: There is none, or it has another form.
        """
        try:
            return self._native.token_from_headers(
                headers.get("Authorization"),
                headers.get("X-Serverless-Authorization"),
                headers.get("X-Goog-IAP-JWT-Assertion"),
            )
        except _native.Failure as failure:
            raise error_of(failure) from None

    async def _verify_async(self, token: str | bytes) -> Claims:
        verdict = self._check(token)
        return verdict if isinstance(verdict, dict) else await run_async(self._verify(token, verdict))

    def _verify(self, token: str | bytes, verdict: Claims | Undecided) -> Conversation[Claims]:
        for _ in range(LIMIT):
            if isinstance(verdict, dict):
                return verdict
            _, claims, _, op = verdict
            if claims is not None and op is not None:
                self._flights.fly_behind(op)
                return claims
            if op is not None:
                yield from self._flights.fly(op)
            verdict, flight = self._flights.ask(lambda: self._check(token))
            if flight is not None:
                yield flight
        raise GatepassError("no verdict after many attempts", code="API_MISUSE")

    def _check(self, token: str | bytes) -> Claims | Undecided:
        try:
            return self._native.check(token, self._clock() * 1000)
        except _native.Failure as failure:
            raise error_of(failure) from None


def default_verifier(audience: Strings) -> Verifier:
    """The verifier of Google's ID tokens for this audience that the whole process shares."""
    key = audience if isinstance(audience, str) else tuple(as_list(audience))
    known = _default.get(key)
    if known is not None:
        return known
    verifier = Verifier(audience)
    if len(_default) >= MAX_VERIFIERS:
        _default.clear()
    return _default.setdefault(key, verifier)


# A service has one audience, or a few; whoever takes them from requests shall not fill the memory.
MAX_VERIFIERS = 1_000
_default: dict[str | tuple[str, ...], Verifier] = {}
