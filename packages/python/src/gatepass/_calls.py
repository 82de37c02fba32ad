"""How calls carry tokens, for the clients of `gatepass.requests`, `gatepass.httpx` and `gatepass.grpc`."""

from __future__ import annotations

from gatepass import _native
from gatepass._arguments import check
from gatepass.source import TokenSource, as_target, default_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from gatepass._types import Conversation, Strings, TokenHeader
    from gatepass.source import Held, Kind

UNAUTHORIZED = 401


class Call:
    """What one request carries: the token of a kind for a target, in these headers."""

    __slots__ = ("headers", "kind", "sent", "target")

    def __init__(self, kind: Kind, target: str, headers: list[str]) -> None:
        # The last token that was at hand, and the headers with it.
        self.sent: tuple[Held, dict[str, str]] | None = None
        self.kind = kind
        self.target = target
        self.headers = headers


class Tokens:
    """The tokens of a client, as its user wants them."""

    def __init__(
        self,
        kind: Kind,
        target: str | None,
        source: TokenSource | None,
        token_header: TokenHeader,
        allow_plain_http: bool,
    ) -> None:
        options = {"token_header": token_header, "allow_plain_http": allow_plain_http, "source": source}
        check(options, token_header=str, allow_plain_http=bool, source=TokenSource)
        self._kind = kind
        self._target = target or ""
        self._audience = target if kind == "id_token" else None
        self._source = source
        self._token_header = token_header
        self._allow_plain_http = allow_plain_http

    @property
    def source(self) -> TokenSource:
        """Where they come from."""
        return self._source or default_source()

    def plan(self, url: str, grpc: Mapping[str, bool] | None = None) -> Call:
        """How a request for this URL carries its token; `grpc` describes the channel of a gRPC call.

        Raises:
            GatepassError: It must not travel there.
        """
        plan = _native.plan_call(
            {
                "url": url,
                "kind": self._kind,
                "audience": self._audience,
                "token_header": self._token_header,
                "allow_plain_http": self._allow_plain_http,
                "grpc": grpc,
            }
        )
        return Call(self._kind, plan["audience"] or self._target, plan["headers"])

    def at_hand(self, call: Call) -> dict[str, str] | None:
        """The headers of a call if nothing has to be waited for; otherwise it is being fetched. As long as
        the token is the same, so is this object."""
        warm = (self._source or default_source())._warm(call.kind, call.target)
        if warm is not None:
            sent = call.sent
            if sent is None or sent[0] is not warm:
                sent = call.sent = warm, self._with_others(call, warm[2])
            return sent[1]
        started = self.start(call)
        return started.result() if started.done() and started.exception() is None else None

    def start(self, call: Call) -> Future[dict[str, str]]:
        """The headers of a call: at once, or once the token is fetched, on the thread that does."""
        from gatepass._driver.flights import run_by_callback

        return run_by_callback(self._headers(call))

    def fetch(self, call: Call) -> dict[str, str]:
        """The headers of a call."""
        if call.kind == "id_token":
            return with_token(call, self.source.id_token_header(call.target))
        return {
            **self.source.access_token_headers(call.target),
            **with_token(call, self.source.access_token_header(call.target)),
        }

    async def fetch_async(self, call: Call) -> dict[str, str]:
        """The same in an event loop."""
        return self._with_others(call, (await self.source._token_async(call.kind, call.target))[2])

    def _headers(self, call: Call) -> Conversation[dict[str, str]]:
        return self._with_others(call, (yield from self.source._held(call.kind, call.target))[2])

    def _with_others(self, call: Call, header: str) -> dict[str, str]:
        others = self.source._with_others(header) if call.kind == "access_token" else {}
        return {**others, **with_token(call, header)}

    def is_worth_repeating(self, call: Call, header: str, status: int) -> bool:
        """Whether a request that was answered with this status gets another token the next time."""
        return self.source._is_worth_repeating(call.kind, call.target, header, status)


def with_token(call: Call, header: str) -> dict[str, str]:
    """The headers of this call that bear the token."""
    return {name.title(): header for name in call.headers}


def id_tokens(
    audience: str | None, source: TokenSource | None, token_header: TokenHeader, allow_plain_http: bool
) -> Tokens:
    """ID tokens for this audience, or else for the one that is derived from each URL."""
    check({"audience": audience}, audience=str)
    return Tokens("id_token", audience, source, token_header, allow_plain_http)


def access_tokens(scopes: Strings, source: TokenSource | None, allow_plain_http: bool) -> Tokens:
    """Access tokens with these scopes."""
    return Tokens("access_token", as_target(scopes), source, "authorization", allow_plain_http)
