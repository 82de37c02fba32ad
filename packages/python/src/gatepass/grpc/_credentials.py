"""Calls that carry tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import grpc.aio

from gatepass._calls import access_tokens, id_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepass._calls import Call, Tokens
    from gatepass._types import Strings, TokenHeader
    from gatepass.source import TokenSource


# More services than one program calls.
LIMIT = 1_000


def id_token_credentials(
    audience: str | None = None,
    *,
    source: TokenSource | None = None,
    token_header: TokenHeader = "authorization",
) -> grpc.CallCredentials:
    """Call credentials that send an ID token with each call, for `grpc.composite_channel_credentials`, or
    for a single call. They serve `grpc` and `grpc.aio`, and channels to any number of services.

    Args:
        audience: The receiver's. Without it, `https://` and the host of the service that is called, without
            its port and a traffic tag: what Cloud Run expects.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        token_header: "authorization", or "x-serverless-authorization", which Cloud Run takes as well, so that
            `authorization` stays the application's own, or "both".
    """
    return grpc.metadata_call_credentials(
        _Plugin(id_tokens(audience, source, token_header, False)), name="gatepass"
    )


def access_token_credentials(
    scopes: Strings = (), *, source: TokenSource | None = None
) -> grpc.CallCredentials:
    """Call credentials that send an access token with each call, for Google's own APIs, and what goes
    with it.

    Args:
        scopes: What the token is good for. Without any it has those of the account (metadata server only).
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
    """
    return grpc.metadata_call_credentials(_Plugin(access_tokens(scopes, source, False)), name="gatepass")


class _Plugin(grpc.AuthMetadataPlugin):
    """Called by gRPC for each call, on a thread of its own, which must not be kept waiting."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        # By the service's URL, so that a warm token costs a look into two dictionaries.
        self._calls: dict[str, Call] = {}

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        try:
            call = self._calls.get(context.service_url) or self._plan(context.service_url)
            warm = self._tokens.fetch(call) if self._tokens.is_warm(call) else None
        except Exception as error:
            callback((), error)
            return
        if warm is not None:
            callback(metadata(warm), None)
        else:
            _waiting().submit(self._fetch, call, callback)

    def _plan(self, url: str) -> Call:
        if len(self._calls) >= LIMIT:
            self._calls.clear()
        # gRPC itself refuses these credentials on a channel without TLS.
        call = self._calls[url] = self._tokens.plan(url, grpc={"is_encrypted": True})
        return call

    def _fetch(self, call: Call, callback: grpc.AuthMetadataPluginCallback) -> None:
        try:
            headers = self._tokens.fetch(call)
        except Exception as error:
            callback((), error)
        else:
            callback(metadata(headers), None)


def metadata(headers: dict[str, str]) -> tuple[tuple[str, str | bytes], ...]:
    """Headers as gRPC has them: names in lower case."""
    return tuple((name.lower(), value) for name, value in headers.items())


def _waiting() -> ThreadPoolExecutor:
    # A few are enough: whoever waits for the same token waits for the same flight.
    if not _pool:
        _pool.append(ThreadPoolExecutor(max_workers=8, thread_name_prefix="gatepass-grpc"))
    return _pool[0]


_pool: list[ThreadPoolExecutor] = []


def insecure_channel(
    target: str,
    audience: str | None = None,
    *,
    source: TokenSource | None = None,
    token_header: TokenHeader = "authorization",
    allow_plaintext_loopback: bool = False,
    options: Sequence[tuple[str, Any]] | None = None,
) -> grpc.Channel:
    """A channel without TLS whose calls carry ID tokens, for the emulator and for tests: to a loopback
    address only, and only with `allow_plaintext_loopback`. Elsewhere anybody on the way could read the token.

    Args:
        target: Where the server is, such as "127.0.0.1:50051".
        audience: The receiver's. Without it, it is derived from the target as `id_token_credentials` does.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        token_header: As for `id_token_credentials`.
        allow_plaintext_loopback: Send the token without TLS to a loopback address.
        options: Those of `grpc.insecure_channel`.

    Raises:
        GatepassError: The target is no loopback address, or the option is not given.
    """
    attach = _Attach(*_plaintext(target, audience, source, token_header, allow_plaintext_loopback))
    return grpc.intercept_channel(grpc.insecure_channel(target, options), attach)


def insecure_channel_aio(
    target: str,
    audience: str | None = None,
    *,
    source: TokenSource | None = None,
    token_header: TokenHeader = "authorization",
    allow_plaintext_loopback: bool = False,
    options: Sequence[tuple[str, Any]] | None = None,
) -> grpc.aio.Channel:
    """As `insecure_channel`, for `grpc.aio`."""
    plan = _plaintext(target, audience, source, token_header, allow_plaintext_loopback)
    interceptors = [kind(*plan) for kind in _ATTACH_AIO]
    return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)


def _plaintext(
    target: str, audience: str | None, source: TokenSource | None, token_header: TokenHeader, allowed: bool
) -> tuple[Tokens, Call]:
    tokens = id_tokens(audience, source, token_header, False)
    host = target.rpartition("/")[2]
    for scheme in ("dns:", "ipv4:", "ipv6:"):
        host = host.removeprefix(scheme)
    channel = {"is_encrypted": False, "allow_plaintext_loopback": allowed}
    return tokens, tokens.plan(f"https://{host}", grpc=channel)


class _Attach(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Called by gRPC on the caller's own thread."""

    def __init__(self, tokens: Tokens, call: Call) -> None:
        self._tokens = tokens
        self._call = call

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(_with(details, self._tokens.fetch(self._call)), request)

    intercept_unary_stream = intercept_unary_unary  # type: ignore[assignment]
    intercept_stream_unary = intercept_unary_unary  # type: ignore[assignment]
    intercept_stream_stream = intercept_unary_unary  # type: ignore[assignment]


class _AttachAio:
    def __init__(self, tokens: Tokens, call: Call) -> None:
        self._tokens = tokens
        self._call = call

    async def _attach(self, continuation: Any, details: Any, request: Any) -> Any:
        headers = await self._tokens.fetch_async(self._call)
        return await continuation(_with(details, headers), request)


# One class for each kind of call: grpc.aio files an interceptor under the first that it finds.
class _UnaryUnary(_AttachAio, grpc.aio.UnaryUnaryClientInterceptor):
    intercept_unary_unary = _AttachAio._attach  # type: ignore[assignment]


class _UnaryStream(_AttachAio, grpc.aio.UnaryStreamClientInterceptor):
    intercept_unary_stream = _AttachAio._attach  # type: ignore[assignment]


class _StreamUnary(_AttachAio, grpc.aio.StreamUnaryClientInterceptor):
    intercept_stream_unary = _AttachAio._attach  # type: ignore[assignment]


class _StreamStream(_AttachAio, grpc.aio.StreamStreamClientInterceptor):
    intercept_stream_stream = _AttachAio._attach  # type: ignore[assignment]


_ATTACH_AIO = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)


def _with(details: Any, headers: dict[str, str]) -> Any:
    """The same call with more metadata."""
    return details._replace(metadata=(*(details.metadata or ()), *metadata(headers)))
