"""Call credentials: what gRPC asks for the token of each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from gatepass._calls import access_tokens, id_tokens

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import TypeAlias

    from gatepass._calls import Call, Tokens
    from gatepass._types import Strings, TokenHeader
    from gatepass.source import TokenSource

    Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]


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
    return Plugin(id_tokens(audience, source, token_header, False)).credentials


def access_token_credentials(
    scopes: Strings = (), *, source: TokenSource | None = None
) -> grpc.CallCredentials:
    """Call credentials that send an access token with each call, for Google's own APIs, and what goes
    with it.

    Args:
        scopes: What the token is good for. Without any it has those of the account (metadata server only).
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
    """
    return Plugin(access_tokens(scopes, source, False)).credentials


class Plugin(grpc.AuthMetadataPlugin):
    """Called by gRPC for each call, on a thread that it starts for it."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.credentials = grpc.metadata_call_credentials(self, name="gatepass")
        # By the service's URL, so that a warm token costs a look into two dictionaries.
        self._calls: dict[str, Call] = {}

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        try:
            call = self._calls.get(context.service_url) or self._plan(context.service_url)
        except Exception as error:
            callback((), error)
        else:
            self.tokens.start(call).add_done_callback(lambda fetched: _answer(fetched, callback))

    def call_to(self, service: str) -> Call | None:
        """How a call of this service carries its token, if one was made: for a plugin of a single channel."""
        urls = [url for url in tuple(self._calls) if url.rpartition("/")[2] == service]
        return self._calls.get(urls[0]) if urls else None

    def _plan(self, url: str) -> Call:
        if len(self._calls) >= LIMIT:
            self._calls.clear()
        # gRPC itself refuses these credentials on a channel without TLS.
        call = self._calls[url] = self.tokens.plan(url, grpc={"is_encrypted": True})
        return call


def _answer(fetched: Future[dict[str, str]], callback: grpc.AuthMetadataPluginCallback) -> None:
    error = fetched.exception()
    if isinstance(error, Exception):
        callback((), error)
    else:
        callback(metadata_of(fetched.result()), None)


def metadata_of(headers: dict[str, str]) -> Metadata:
    """Headers as gRPC has them: names in lower case."""
    return tuple((name.lower(), value) for name, value in headers.items())
