"""Tokens to send: fetched, cached, refreshed before they end."""

from __future__ import annotations

import os
import time

from gatepass import _native
from gatepass._clock import monotonic_of
from gatepass.errors import GatepassError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from gatepass._types import Clock, Conversation, Strings, Supplier

    Kind: TypeAlias = Literal["id_token", "access_token", "self_signed_jwt"]
    # Seconds of the wall clock and of the monotonic one until which it may be handed out without a look-up,
    # the header's value, the token itself.
    Held: TypeAlias = tuple[float, float, str, str]

# The most tokens of a kind that are held here, in front of the core's own cache.
MAX_HELD = _native.limits()["held_tokens"]


class TokenSource:
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
        "_id_tokens",
        "_monotonic",
        "_native",
        "_self_signed_jwts",
    )

    def __init__(
        self,
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
    ) -> None:
        from gatepass._driver.flights import Flights

        if credentials_json is not None and not isinstance(credentials_json, str):
            credentials_json = _native.to_json(credentials_json)
        options: dict[str, Any] = {
            "credentials_file": None if credentials_file is None else os.fspath(credentials_file),
            "credentials_json": credentials_json,
            "impersonate": impersonate,
            "delegates": as_list(delegates),
            "subject": subject,
            "self_signed_access_tokens": self_signed_access_tokens,
            "gdch_audience": gdch_audience,
            "allow_user_id_token": allow_user_id_token,
            "expect_type": expect_type,
            "quota_project_id": quota_project_id,
            "universe_domain": universe_domain,
            "trusted_endpoints": as_list(trusted_endpoints),
            "seed": int.from_bytes(os.urandom(6), "big"),
        }
        self._native = _native.Source(options)
        self._clock = clock
        self._monotonic = monotonic_of(clock)
        self._flights = Flights(clock, suppliers)
        self._id_tokens: dict[str, Held] = {}
        self._access_tokens: dict[str, Held] = {}
        self._self_signed_jwts: dict[str, Held] = {}

    def fetch_id_token(self, audience: str) -> str:
        """The ID token for `audience`: the receiver's URL, a custom audience, or the OAuth client id of IAP.

        Raises:
            CredentialsError: The credentials cannot be found, read or used.
            TransportError: The endpoint that gives the token cannot be reached.
            GatepassError: The audience makes no sense.
        """
        held = self._id_tokens.get(audience)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = _wait(self._fetch("id_token", audience))
        return held[3]

    def fetch_access_token(self, scopes: Strings = ()) -> str:
        """The access token for `scopes`. Without any it has those of the account (metadata server only).

        Raises: As `fetch_id_token` does.
        """
        target = as_target(scopes)
        held = self._access_tokens.get(target)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = _wait(self._fetch("access_token", target))
        return held[3]

    def id_token_header(self, audience: str) -> str:
        """The value of an `Authorization` header with the token of `fetch_id_token`."""
        held = self._id_tokens.get(audience)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = _wait(self._fetch("id_token", audience))
        return held[2]

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
        held = self._self_signed_jwts.get(audience)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            held = _wait(self._fetch("self_signed_jwt", audience))
        return held[3]

    def _with_others(self, authorization: str) -> dict[str, str]:
        return {"Authorization": authorization, **dict(self._native.access_token_headers())}

    async def _token_async(self, kind: Kind, target: str) -> Held:
        held = self._held_of(kind).get(target)
        if held is None or self._clock() >= held[0] or self._monotonic() >= held[1]:
            from gatepass._driver.flights import run_async

            held = await run_async(self._fetch(kind, target))
        return held

    def _fetch(self, kind: Kind, target: str) -> Conversation[Held]:
        from gatepass._driver.replies import LOOKS

        for _ in range(LOOKS):
            answer, flight = self._flights.ask(
                lambda: self._native.lookup(kind, target, self._clock() * 1000, self._monotonic() * 1000)
            )
            _, header, _, *fresh_until, _, op = answer
            started = None if op is None else self._flights.start(op)
            if header is not None:
                return self._hold(kind, target, header, *fresh_until)
            if flight is not None:
                yield flight
            elif started is not None:
                while not started.done():
                    yield started
                token = started.result()
                if token is not None:
                    until = token["fresh_until_ms"], token["fresh_until_monotonic_ms"]
                    return self._hold(kind, target, token["header"], *until)
        raise GatepassError("no token after many attempts", code="API_MISUSE")

    def _hold(
        self, kind: Kind, target: str, header: str, fresh_until_ms: float, fresh_until_monotonic_ms: float
    ) -> Held:
        tokens = self._held_of(kind)
        if len(tokens) >= MAX_HELD:
            tokens.clear()
        until = fresh_until_ms / 1000, fresh_until_monotonic_ms / 1000
        held = (*until, header, header.partition(" ")[2])
        tokens[target] = held
        return held

    def _held_of(self, kind: Kind) -> dict[str, Held]:
        match kind:
            case "id_token":
                return self._id_tokens
            case "access_token":
                return self._access_tokens
            case "self_signed_jwt":
                return self._self_signed_jwts


def _wait(fetch: Conversation[Held]) -> Held:
    # What it takes to wait is imported when somebody does.
    from gatepass._driver.flights import run

    return run(fetch)


def default_source() -> TokenSource:
    """The source of Application Default Credentials that the whole process shares."""
    # Threads that come first at once all get the one that setdefault keeps.
    return _default.get("adc") or _default.setdefault("adc", TokenSource())


_default: dict[str, TokenSource] = {}


def as_list(strings: Strings | None) -> list[str]:
    """A single string is one item, not its letters."""
    return [strings] if isinstance(strings, str) else list(strings or ())


def as_target(scopes: Strings) -> str:
    return scopes if isinstance(scopes, str) else " ".join(scopes)
