"""Tokens received: accepted or refused."""

from __future__ import annotations

import time

from gatepass import _native
from gatepass._arguments import check, text, texts, wrong
from gatepass._clock import readings
from gatepass._driver.steps import drive
from gatepass._headers import token_headers
from gatepass._keys import keys_for
from gatepass.claims import Claims
from gatepass.errors import GatepassError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from typing_extensions import Self, Unpack

    from gatepass._keys import Keys
    from gatepass._types import Algorithms, Clock, Conversation, Headers, Preset, Strings, VerifierOptions
    from gatepass.explanation import Explanation


# What a remembered token takes here, at most, in bytes: its dict and the object around it, a name and a value
# for each member, and text of up to 4 bytes for each byte of JSON. tests/test_remembered.py measures it.
HOST_COST = {"token": 200, "member": 150, "byte": 4}


class Verifier(_native.Verifier):
    """Checks tokens. Make one and keep it: it caches keys, and threads and event loops may share it.

    Args:
        audience: This service's own audience, or several: the token must be for one of them. On Cloud Run
            `gatepass.own_audiences()` knows one.
        any_audience: Accept a token for anybody. Only for services that check `aud` themselves.
        preset: Whose tokens these are. It gives the next four where they are not given. Without it, "google",
            or, for other `issuers`, "oidc"; none where `issuers` and keys are both given.

            - "google": ID tokens of Google's, whoever sends them.
            - "cloud_run", "pubsub", "cloud_tasks", "cloud_scheduler", "eventarc": the same, of one sender.
              These need `allowed_emails` or `allowed_subjects`, as anybody can get a Google token for any
              audience.
            - "iap": Identity-Aware Proxy.
            - "firebase": users of Firebase Authentication or Identity Platform. The audience is the project's
              id.
            - "oidc": any other OpenID Connect issuer, the one in `issuers`, by its discovery document.
        issuers: The values of `iss` that are accepted.
        algorithms: The algorithms that the issuer signs with.
        keys: The issuer's keys, a JWK set, one JWK or a PEM map, as text or as what `json.load` makes of it.
        keys_url: Where the issuer publishes its keys.
        leeway_seconds: How far clocks may be apart.
        allowed_emails: The callers that are accepted. Without it, any.
        allowed_subjects: The callers that are accepted, by `sub`, which is never reassigned, unlike
            e-mails. If e-mails are given too, a caller must be on both lists.
        any_caller: Accept any caller, where the preset needs a list of them.
        trust_cloud_run_and_skip_signature: Accept a token whose signature Cloud Run has removed, after a
            check of its own. Nothing proves its claims then: their `is_unverified` is true. Only for a
            service that lets nobody in without that check ("require authentication"): to any other, anybody
            can send such a token.
        remembered_bytes: How much memory the tokens that it remembers may take, with their claims; by default
            16 MiB.
        clock: Gives Unix time in seconds.

    Raises:
        GatepassError: An option makes no sense, or neither an audience nor `any_audience` is given.
    """

    __slots__ = ("__weakref__", "_keys", "_options")
    _keys: Keys
    _options: dict[str, Any]

    # Not __init__: nothing of a verifier changes once it is there.
    def __new__(
        cls,
        audience: Strings | None = None,
        *,
        any_audience: bool = False,
        preset: Preset | None = None,
        issuers: Strings | None = None,
        algorithms: Algorithms = (),
        keys: str | Mapping[str, Any] | None = None,
        keys_url: str | None = None,
        leeway_seconds: int | None = None,
        allowed_emails: Strings | None = None,
        allowed_subjects: Strings | None = None,
        any_caller: bool = False,
        trust_cloud_run_and_skip_signature: bool = False,
        remembered_bytes: int | None = None,
        clock: Clock = time.time,
    ) -> Self:
        given: VerifierOptions = {
            "audience": texts("audience", audience),
            "any_audience": any_audience,
            "preset": preset,
            # No list is not the same as an empty one, here and below.
            "issuers": None if issuers is None else texts("issuers", issuers),
            "algorithms": texts("algorithms", algorithms),  # type: ignore[typeddict-item]
            "keys": keys,
            "keys_url": keys_url,
            "leeway_seconds": leeway_seconds,
            "allowed_emails": None if allowed_emails is None else texts("allowed_emails", allowed_emails),
            "allowed_subjects": (
                None if allowed_subjects is None else texts("allowed_subjects", allowed_subjects)
            ),
            "any_caller": any_caller,
            "trust_cloud_run_and_skip_signature": trust_cloud_run_and_skip_signature,
            "remembered_bytes": remembered_bytes,
        }
        shared = keys_for(clock)
        op = _native.open_verifier({**_options(**given), "host_cost": HOST_COST}, shared.native)
        opened = drive(op, readings(clock), {})
        self = super().__new__(cls, op, clock, getattr(clock, "monotonic", None))
        self._keys = shared
        self._options = {**given, "clock": clock}
        for warning in (opened or {})["warnings"]:
            import logging

            logging.getLogger("gatepass").warning(warning)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process, and a copy, has the options and none of the tokens.
        return _verifier_with, (type(self), self._options)

    def token_from_headers(self, headers: Headers) -> str:
        """The token of a request, from the header that counts: `X-Serverless-Authorization` before
        `Authorization`, or `X-Goog-IAP-JWT-Assertion` alone with the preset "iap".

        Args:
            headers: A framework's headers, a dict, or pairs; names in any case, values may be lists.

        Raises:
            VerifyError: There is none, there are several, or it has another form.
        """
        return self._token_from_headers(*token_headers(headers))

    def explain(self, token: str, *, url: str | None = None, header: str | None = None) -> Explanation:
        """What this token is, and all that is wrong with it for this verifier, with the keys that it has
        fetched. For people who look for a fault: see `gatepass.explain`."""
        from gatepass.explanation import explanation_from

        place = {"url": url, "header": header}
        check(place, url=str, header=str)
        return explanation_from(self._explain(text("token", token), place))

    async def _verify_async(self, token: str | bytes) -> Claims:
        verdict = self._check(token)
        if isinstance(verdict, Claims):
            return verdict
        from gatepass._driver.flights import run_async

        return await run_async(self._decide(token, verdict))

    def _decide_now(self, token: str | bytes, verdict: _native.Undecided) -> Claims:
        """Called by `verify` if the caller has to wait."""
        from gatepass._driver.flights import run

        return run(self._decide(token, verdict))

    def _decide(self, token: str | bytes, verdict: Claims | _native.Undecided) -> Conversation[Claims]:
        from gatepass._driver.replies import LOOKS

        for _ in range(LOOKS):
            if isinstance(verdict, Claims):
                return verdict
            _, claims, _, op = verdict
            started = None if op is None else self._keys.flights.start(op)
            if claims is not None:
                return claims
            if started is not None:
                while not started.done():
                    yield started
                started.result()
            verdict, flight = self._keys.flights.ask(lambda: self._check(token))
            if flight is not None:
                yield flight
        raise GatepassError("no verdict after many attempts", code="API_MISUSE")


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
        url: The URL that was called. Without an audience, the one to expect is derived from it.
        header: The name of the header that carried the token.
        clock: Gives Unix time in seconds.
        options: Those of a `Verifier`, as far as they are known. Without a preset, the kind of token decides.

    Raises:
        GatepassError: An option makes no sense, or no audience can be derived from the URL.
    """
    from gatepass.explanation import explanation_from

    options_and_place = {**_options(**options), "url": url, "header": header}
    check(options_and_place, url=str, header=str)
    return explanation_from(_native.explain(options_and_place, text("token", token), clock() * 1000))


def default_verifier(audience: Strings) -> Verifier:
    """The verifier of Google's ID tokens for this audience that the whole process shares."""
    key = audience if isinstance(audience, str) else tuple(texts("audience", audience))
    known = _default.get(key)
    if known is not None:
        return known
    verifier = Verifier(audience)
    if len(_default) >= MAX_VERIFIERS:
        _default.clear()
    return _default.setdefault(key, verifier)


# A service has one audience, or a few; whoever takes them from requests shall not fill the memory.
MAX_VERIFIERS = _native.limits()["held_tokens"]
_default: dict[str | tuple[str, ...], Verifier] = {}


_TYPES: dict[str, type] = {
    "any_audience": bool,
    "preset": str,
    "keys_url": str,
    "leeway_seconds": int,
    "any_caller": bool,
    "trust_cloud_run_and_skip_signature": bool,
    "remembered_bytes": int,
}


def _options(
    audience: Strings | None = None,
    issuers: Strings | None = None,
    algorithms: Algorithms = (),
    keys: str | Mapping[str, Any] | None = None,
    allowed_emails: Strings | None = None,
    allowed_subjects: Strings | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The options of a verifier as the core reads them."""
    check(others, **_TYPES)
    return {
        **others,
        "audiences": texts("audience", audience),
        # No list is not the same as an empty one, here and below.
        "issuers": None if issuers is None else texts("issuers", issuers),
        "algorithms": texts("algorithms", algorithms),
        "keys": _keys_json(keys),
        "allowed_emails": None if allowed_emails is None else texts("allowed_emails", allowed_emails),
        "allowed_subjects": None if allowed_subjects is None else texts("allowed_subjects", allowed_subjects),
    }


def _keys_json(keys: str | Mapping[str, Any] | None) -> str | None:
    if keys is None or isinstance(keys, str):
        return keys
    if not hasattr(keys, "keys"):
        raise wrong("keys", keys, "str or a dict")
    return _native.to_json(dict(keys))


def _verifier_with(kind: type[Verifier], options: dict[str, Any]) -> Verifier:
    return kind(**options)
