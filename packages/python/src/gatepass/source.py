"""Tokens to send: fetched, cached, refreshed before they end."""

from __future__ import annotations

import os
import time

from gatepass import _native
from gatepass._arguments import binary, check, text, texts, wrong
from gatepass._clock import monotonic_of
from gatepass.errors import GatepassError
from gatepass.principal import Principal, Signature
from gatepass.token import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from typing_extensions import Self

    from gatepass._driver.flights import Flights
    from gatepass._native import Op, Source
    from gatepass._types import Clock, Conversation, Step, Strings, Supplier, T

    Kind: TypeAlias = Literal["id_token", "access_token", "self_signed_jwt"]
    # Seconds of the wall clock and of the monotonic one until which it may be handed out without a look-up,
    # the header's value, the token itself, Unix seconds of its end. `bindings/python` reads the first four.
    Held: TypeAlias = tuple[float, float, str, str, float]

# The most tokens of a kind that are held here, in front of the core's own cache.
MAX_HELD = _native.limits()["held_tokens"]


class TokenSource(_native.TokenSource):
    """Tokens of one principal. Make one and keep it: it caches, and threads and event loops may share it.

    Without arguments it finds Application Default Credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS`
    names, gcloud's own file, the metadata server. Nothing is looked for before the first token is asked for.

    Args:
        credentials_file: The path of a credential file to use instead.
        credentials_json: The content of one, as text or as the object that `json.load` makes of it.
        impersonate: The e-mail of a service account whose tokens to get with these credentials.
        delegates: The service accounts in between, each of which may impersonate the next.
        subject: The e-mail of a person to act for (domain-wide delegation). Access tokens only.
        self_signed_access_tokens: Whether a service account's key signs access tokens itself (AIP-4111).
            Otherwise an endpoint is asked for them.
        gdch_audience: The audience of the tokens of a `gdch_service_account`.
        allow_user_id_token: Whether credentials of a person give the ID token of their login, which is for
            the OAuth client that they used and no other audience.
        expect_type: The `type` that a credential file must have, or "metadata" for the metadata server.
        quota_project_id: The project that calls with access tokens are billed to, else the credential file's.
        universe_domain: A universe whose endpoints are trusted in addition to Google's own.
        suppliers: Functions that give subject tokens, by the names that credentials know them by, as in
            `"credential_source": {"supplier": "NAME"}`. See `gatepass.supplier`.
        trusted_endpoints: `host:port` of token endpoints to trust in addition to Google's own.
        clock: Gives Unix time in seconds.

    Raises:
        GatepassError: An option makes no sense.
    """

    __slots__ = (
        "__weakref__",
        "_access_tokens",
        "_clock",
        "_flights",
        "_last_refusal",
        "_monotonic",
        "_native",
        "_options",
        "_self_signed_jwts",
    )
    _access_tokens: dict[str, Held]
    _clock: Clock
    _flights: Flights
    _last_refusal: object
    _monotonic: Clock
    _native: Source
    _options: dict[str, Any]
    _self_signed_jwts: dict[str, Held]

    # Not __init__: nothing of what a source is made of changes once it is there.
    def __new__(
        cls,
        *,
        credentials_file: str | os.PathLike[str] | None = None,
        credentials_json: str | Mapping[str, Any] | None = None,
        impersonate: str | None = None,
        delegates: Strings = (),
        subject: str | None = None,
        self_signed_access_tokens: bool = False,
        gdch_audience: str | None = None,
        allow_user_id_token: bool = False,
        expect_type: str | None = None,
        quota_project_id: str | None = None,
        universe_domain: str | None = None,
        suppliers: Mapping[str, Supplier] | None = None,
        trusted_endpoints: Strings = (),
        clock: Clock = time.time,
    ) -> Self:
        from gatepass._driver.flights import Flights

        options: dict[str, Any] = {
            "credentials_file": credentials_file,
            "credentials_json": credentials_json,
            "impersonate": impersonate,
            "delegates": texts("delegates", delegates),
            "subject": subject,
            "self_signed_access_tokens": self_signed_access_tokens,
            "gdch_audience": gdch_audience,
            "allow_user_id_token": allow_user_id_token,
            "expect_type": expect_type,
            "quota_project_id": quota_project_id,
            "universe_domain": universe_domain,
            "trusted_endpoints": texts("trusted_endpoints", trusted_endpoints),
        }
        check(options, **_TYPES)
        monotonic = monotonic_of(clock)
        self = super().__new__(cls, clock, getattr(clock, "monotonic", None))
        self._options = {**options, "suppliers": _functions(suppliers), "clock": clock}
        seed = int.from_bytes(os.urandom(6), "big")
        files = {"credentials_file": _path(credentials_file), "credentials_json": _json(credentials_json)}
        self._native = _native.Source({**options, **files, "seed": seed})
        self._clock = clock
        self._monotonic = monotonic
        self._flights = Flights(clock, suppliers)
        self._last_refusal = None
        self._access_tokens = {}
        self._self_signed_jwts = {}
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process, and a copy, has the options and none of the tokens.
        return _source_with, (self._options,)

    def fetch_access_token(self, scopes: Strings = ()) -> str:
        """The access token for `scopes`. Without any it has those of the account (metadata server only).

        Raises: As `fetch_id_token` does.
        """
        target = as_target(scopes)
        held = self._access_tokens.get(target)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = _wait(self._fetch("access_token", target))
        return held[3]

    def fetch_id_token_info(self, audience: str) -> Token:
        """The token of `fetch_id_token`, with its end."""
        return as_token(_wait(self._held("id_token", text("audience", audience))))

    def fetch_access_token_info(self, scopes: Strings = ()) -> Token:
        """The token of `fetch_access_token`, with its end."""
        return as_token(_wait(self._held("access_token", as_target(scopes))))

    def access_token_header(self, scopes: Strings = ()) -> str:
        """The value of an `Authorization` header with the token of `fetch_access_token`."""
        target = as_target(scopes)
        held = self._access_tokens.get(target)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = _wait(self._fetch("access_token", target))
        return held[2]

    def access_token_headers(self, scopes: Strings = ()) -> dict[str, str]:
        """The headers of a call of Google's APIs: `Authorization`, and what goes with the token, such as the
        project that is billed."""
        return self._with_others(self.access_token_header(scopes))

    def fetch_self_signed_jwt(self, audience: str) -> str:
        """A JWT for `audience` that the service account has signed itself (AIP-4111), without asking anybody.

        Raises: As `fetch_id_token` does; CredentialsError also if the credentials have no key of their own.
        """
        return _wait(self._held("self_signed_jwt", text("audience", audience)))[3]

    def invalidate_id_token(self, audience: str, token: str) -> bool:
        """Replaces an ID token that its receiver has refused with 401, before its end; the clients of
        `gatepass.requests` and `gatepass.httpx` do so by themselves.

        Gives True if a next call gets another token, so that repeating the request once makes sense. A token
        is replaced at most once a minute.
        """
        return self._invalidate("id_token", text("audience", audience), text("token", token))

    def invalidate_access_token(self, scopes: Strings, token: str) -> bool:
        """The same for an access token."""
        return self._invalidate("access_token", as_target(scopes), text("token", token))

    def principal(self) -> Principal:
        """Who the credentials are. Nothing of it is cached.

        Raises: As `fetch_id_token` does.
        """
        return as_principal(_wait(self._inquire(self._native.principal())))

    def sign_bytes(self, data: bytes) -> Signature:
        """Signs these bytes as the credentials' service account: with its key, or by the IAM Credentials API.

        Raises: As `fetch_id_token` does; CredentialsError also if the credentials are no service account's.
        """
        return as_signature(_wait(self._inquire(self._native.sign_bytes(binary("data", data)))))

    def _inquire(self, op: Op) -> Conversation[Step]:
        started = self._flights.start(op)
        while not started.done():
            yield started
        return started.result() or {}

    def _with_others(self, authorization: str) -> dict[str, str]:
        return {"Authorization": authorization, **dict(self._native.access_token_headers())}

    def _invalidate(self, kind: Kind, target: str, token: str) -> bool:
        now_ms, monotonic_ms = self._clock() * 1000, self._monotonic() * 1000
        done = self._native.invalidate(kind, target, f"Bearer {token}", now_ms, monotonic_ms)
        if done:
            self._forget(kind, target)
        return done

    def _is_worth_repeating(self, kind: Kind, target: str, header: str, status: int) -> bool:
        """Whether a request that was answered with this status gets another token the next time."""
        now_ms, monotonic_ms = self._clock() * 1000, self._monotonic() * 1000
        another = self._native.retry_after_refusal(kind, target, header, status, now_ms, monotonic_ms)
        if another:
            self._forget(kind, target)
        return another

    def _forget(self, kind: Kind, target: str) -> None:
        # In this order: whoever keeps a token looks at the refusal after that.
        self._last_refusal = object()
        self._held_of(kind).pop(target, None)

    def _warm(self, kind: Kind, target: str) -> Held | None:
        """A token that is at hand and needs no look-up."""
        held = self._held_of(kind).get(target)
        warm = held is not None and self._clock() < held[0] and self._monotonic() < held[1]
        return held if warm else None

    async def _token_async(self, kind: Kind, target: str) -> Held:
        held = self._held_of(kind).get(text("audience", target))
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            from gatepass._driver.flights import run_async

            held = await run_async(self._fetch(kind, target))
        return held

    def _held(self, kind: Kind, target: str) -> Conversation[Held]:
        held = self._held_of(kind).get(target)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = yield from self._fetch(kind, target)
        return held

    def _fetch_now(self, kind: Kind, target: str) -> Held:
        """Called by `fetch_id_token` and `id_token_header` if there is no token at hand."""
        return _wait(self._fetch(kind, target))

    def _fetch(self, kind: Kind, target: str) -> Conversation[Held]:
        from gatepass._driver.replies import LOOKS

        text("audience", target)
        for _ in range(LOOKS):
            refusal = self._last_refusal
            answer, flight = self._flights.ask(
                lambda: self._native.lookup(kind, target, self._clock() * 1000, self._monotonic() * 1000)
            )
            _, header, expires_at_ms, *fresh_until, _, op = answer
            started = None if op is None else self._flights.start(op)
            if header is not None:
                return self._hold(kind, target, refusal, header, expires_at_ms, *fresh_until)
            if flight is not None:
                yield flight
            elif started is not None:
                while not started.done():
                    yield started
                token = started.result()
                if token is not None:
                    until = token["fresh_until_ms"], token["fresh_until_monotonic_ms"]
                    return self._hold(kind, target, refusal, token["header"], token["expires_at_ms"], *until)
        raise GatepassError("no token after many attempts", code="API_MISUSE")

    def _hold(
        self,
        kind: Kind,
        target: str,
        refusal: object,
        header: str,
        expires_at_ms: float,
        fresh_until_ms: float,
        fresh_until_monotonic_ms: float,
    ) -> Held:
        tokens = self._held_of(kind)
        if len(tokens) >= MAX_HELD:
            tokens.clear()
        until = fresh_until_ms / 1000, fresh_until_monotonic_ms / 1000
        held = (*until, header, header.partition(" ")[2], expires_at_ms / 1000)
        tokens[target] = held
        if self._last_refusal is not refusal:
            # It may have been this token that was refused, sent by another: the core says what comes next.
            tokens.pop(target, None)
        return held

    def _held_of(self, kind: Kind) -> dict[str, Held]:
        match kind:
            case "id_token":
                return self._id_tokens
            case "access_token":
                return self._access_tokens
            case "self_signed_jwt":
                return self._self_signed_jwts


def _wait(fetch: Conversation[T]) -> T:
    # What it takes to wait is imported when somebody does.
    from gatepass._driver.flights import run

    return run(fetch)


def default_source() -> TokenSource:
    """The source of Application Default Credentials that the whole process shares."""
    # Threads that come first at once all get the one that setdefault keeps.
    return _default.get("adc") or _default.setdefault("adc", TokenSource())


_default: dict[str, TokenSource] = {}


def as_target(scopes: Strings) -> str:
    """Scopes as the core takes them."""
    return scopes if isinstance(scopes, str) else " ".join(texts("scopes", scopes))


def as_token(held: Held) -> Token:
    """The same for users."""
    return Token(held[3], held[2], held[4])


def as_principal(output: Step) -> Principal:
    """The same for users."""
    return Principal(output["email"], output["project_id"])


def as_signature(output: Step) -> Signature:
    """The same for users."""
    from binascii import a2b_base64

    return Signature(output["key_id"], a2b_base64(output["signature"]))


_TYPES: dict[str, type] = {
    "impersonate": str,
    "subject": str,
    "self_signed_access_tokens": bool,
    "gdch_audience": str,
    "allow_user_id_token": bool,
    "expect_type": str,
    "quota_project_id": str,
    "universe_domain": str,
}


def _source_with(options: dict[str, Any]) -> TokenSource:
    return TokenSource(**options)


def _path(credentials_file: str | os.PathLike[str] | None) -> str | None:
    try:
        return None if credentials_file is None else os.fsdecode(credentials_file)
    except TypeError:
        raise wrong("credentials_file", credentials_file, "str or os.PathLike") from None


def _json(credentials_json: str | Mapping[str, Any] | None) -> str | None:
    if credentials_json is None or isinstance(credentials_json, str):
        return credentials_json
    if not hasattr(credentials_json, "keys"):
        raise wrong("credentials_json", credentials_json, "str or a dict")
    return _native.to_json(dict(credentials_json))


def _functions(suppliers: Mapping[str, Supplier] | None) -> dict[str, Supplier] | None:
    if suppliers is None:
        return None
    if not hasattr(suppliers, "items"):
        raise wrong("suppliers", suppliers, "a dict of functions")
    for name, supplier in suppliers.items():
        if not callable(supplier):
            raise wrong(f"the supplier {name!r}", supplier, "a function")
    return dict(suppliers)
