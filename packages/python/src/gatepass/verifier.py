"""Tokens received: accepted or refused."""

from __future__ import annotations

import os
import time

from gatepass import _native
from gatepass.claims import Claims
from gatepass.errors import GatepassError
from gatepass.source import as_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from typing_extensions import Self, Unpack

    from gatepass._driver.flights import Flights
    from gatepass._types import Algorithms, Clock, Conversation, Preset, Strings, VerifierOptions
    from gatepass.explanation import Explanation

    class Headers(Protocol):
        """The headers of a request, as any framework has them."""

        def get(self, name: str, /) -> str | None: ...


class Verifier(_native.Verifier):
    """Checks tokens. Make one and keep it: it caches keys, and threads and event loops may share it.

    Args:
        audience: This service's own audience, or several: the token must be for one of them. On Cloud Run
            `gatepass.own_audiences()` knows one.
        any_audience: Accept a token for anybody. Only for services that check `aud` themselves.
        preset: Whose tokens these are. It gives the next four where they are not given. None: all four are.

            - "google": ID tokens of Google's, whoever sends them.
            - "cloud_run", "pubsub", "cloud_tasks", "cloud_scheduler", "eventarc": the same, of one sender.
              These want to be told the callers, as anybody can get a Google token for any audience.
            - "iap": Identity-Aware Proxy.
            - "firebase": users of Firebase Authentication or Identity Platform. The audience is the project's
              id.
            - "oidc": any other OpenID Connect issuer, the one in `issuers`, by its discovery document.
        issuers: The values of `iss` that are accepted.
        algorithms: The algorithms that the issuer signs with.
        keys: The issuer's keys, a JWK set or a PEM map, as text or as what `json.load` makes of it.
        keys_url: Where the issuer publishes its keys.
        leeway_seconds: How far clocks may be apart.
        allowed_emails: The callers that are accepted. Without it, any.
        allowed_subjects: The callers that are accepted, by `sub`, which is never used again, as e-mails may
            be. If e-mails are given too, a caller must be on both lists.
        any_caller: Accept any caller, where the preset wants to be told the callers.
        trust_cloud_run_and_skip_signature: Accept a token whose signature Cloud Run has removed, after a
            check of its own. Nothing proves its claims then: their `is_unverified` is true. Only for a
            service that lets nobody in without that check ("require authentication"): to any other, anybody
            can send such a token.
        clock: Gives Unix time in seconds.

    Raises:
        GatepassError: An option makes no sense, or the audience is left open without saying so.
    """

    __slots__ = ("__weakref__", "_clock", "_late")
    _clock: Clock
    _late: dict[str, Flights]

    # Not __init__: nothing of a verifier changes once it is there.
    def __new__(
        cls,
        audience: Strings | None = None,
        *,
        any_audience: bool = False,
        preset: Preset | None = "google",
        issuers: Strings = (),
        algorithms: Algorithms = (),
        keys: str | Mapping[str, Any] | None = None,
        keys_url: str | None = None,
        leeway_seconds: int | None = None,
        allowed_emails: Strings | None = None,
        allowed_subjects: Strings | None = None,
        any_caller: bool = False,
        trust_cloud_run_and_skip_signature: bool = False,
        clock: Clock = time.time,
    ) -> Self:
        options = _options(
            audience=audience,
            any_audience=any_audience,
            preset=preset,
            issuers=issuers,
            algorithms=algorithms,
            keys=keys,
            keys_url=keys_url,
            leeway_seconds=leeway_seconds,
            allowed_emails=allowed_emails,
            allowed_subjects=allowed_subjects,
            any_caller=any_caller,
            trust_cloud_run_and_skip_signature=trust_cloud_run_and_skip_signature,
        )
        self = super().__new__(cls, options, clock)
        self._clock = clock
        self._late = {}
        return self

    def token_from_headers(self, headers: Headers) -> str:
        """The token of a request, from the header that counts: `X-Serverless-Authorization` before
        `Authorization`, or `X-Goog-IAP-JWT-Assertion` alone with the preset "iap".

        Args:
            headers: Whatever has a `get` that knows names in any case; a framework's headers do.

        Raises:
            VerifyError: There is none, or it has another form.
        """
        return self._token_from_headers(
            headers.get("Authorization"),
            headers.get("X-Serverless-Authorization"),
            headers.get("X-Goog-IAP-JWT-Assertion"),
        )

    def explain(self, token: str, *, url: str | None = None, header: str | None = None) -> Explanation:
        """What this token is, and all that is wrong with it for this verifier, with the keys that it has
        fetched. For people who look for a fault: see `gatepass.explain`."""
        from gatepass.explanation import explanation_from

        return explanation_from(self._explain(token, {"url": url, "header": header}))

    async def _verify_async(self, token: str | bytes) -> Claims:
        verdict = self._check(token)
        if isinstance(verdict, Claims):
            return verdict
        from gatepass._driver.flights import run_async

        return await run_async(self._decide(token, verdict))

    def _decide_now(self, token: str | bytes, verdict: _native.Undecided) -> Claims:
        """Called by `verify`, when somebody has to wait."""
        from gatepass._driver.flights import run

        return run(self._decide(token, verdict))

    def _decide(self, token: str | bytes, verdict: Claims | _native.Undecided) -> Conversation[Claims]:
        from gatepass._driver.steps import LIMIT

        for _ in range(LIMIT):
            if isinstance(verdict, Claims):
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

    @property
    def _flights(self) -> Flights:
        """Made when they are first needed: a verifier that is given its keys needs no threads."""
        from gatepass._driver.flights import Flights

        # Threads that come first at once all get the ones that setdefault keeps.
        made = self._late.get("flights")
        return made or self._late.setdefault("flights", Flights(self._clock))


def explain(
    token: str,
    *,
    url: str | None = None,
    header: str | None = None,
    clock: Clock = time.time,
    **options: Unpack[VerifierOptions],
) -> Explanation:
    """What this text is that was sent as a token, and all that is wrong with it, in plain words: `print` it.

    It decides nothing: a token is let in by a `Verifier`. Nothing is fetched, so without `keys` the signature
    stays open. The token is not shown, and of its claims no more than `iss`, `aud`, `email` and the times.

    Args:
        token: The text, as it was sent or copied.
        url: The URL that was called. Without an audience it tells the one to expect.
        header: The name of the header that carried the token.
        clock: Gives Unix time in seconds.
        options: Those of a `Verifier`, as far as they are known. Without a preset the kind of token tells it.

    Raises:
        GatepassError: An option makes no sense, or the URL tells no audience.
    """
    from gatepass.explanation import explanation_from

    options_and_place = {**_options(**options), "url": url, "header": header}
    return explanation_from(_native.explain(options_and_place, token, clock() * 1000))


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


def _options(
    audience: Strings | None = None,
    issuers: Strings = (),
    algorithms: Algorithms = (),
    keys: str | Mapping[str, Any] | None = None,
    allowed_emails: Strings | None = None,
    allowed_subjects: Strings | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The options of a verifier as the core reads them."""
    return {
        **others,
        "audiences": as_list(audience),
        "issuers": as_list(issuers),
        "algorithms": as_list(algorithms),
        "keys": keys if keys is None or isinstance(keys, str) else _native.to_json(keys),
        # No list is not the same as an empty one.
        "allowed_emails": None if allowed_emails is None else as_list(allowed_emails),
        "allowed_subjects": None if allowed_subjects is None else as_list(allowed_subjects),
        "k_service": os.environ.get("K_SERVICE"),
    }
