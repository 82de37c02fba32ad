"""Channels whose calls carry ID tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio

from gatepass._calls import id_tokens
from gatepass.grpc._attach import TokenChannel
from gatepass.grpc._attach_aio import attach_aio
from gatepass.grpc._carriers import ByCredentials, ByMetadata
from gatepass.grpc._credentials import Plugin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gatepass._types import TokenHeader
    from gatepass.source import TokenSource


def secure_channel(
    target: str,
    audience: str | None = None,
    *,
    source: TokenSource | None = None,
    token_header: TokenHeader = "authorization",
    channel_credentials: grpc.ChannelCredentials | None = None,
    options: Sequence[tuple[str, Any]] | None = None,
) -> grpc.Channel:
    """A channel over TLS whose calls carry ID tokens, as those by `id_token_credentials` do, at a smaller
    cost. A unary call that the server refuses with UNAUTHENTICATED is repeated once, within its deadline, if
    another token can be had; after a stream that is refused so, the next call gets another.

    Args:
        target: Where the server is, such as "orders-7f3kq2x4ca-uc.a.run.app:443".
        audience: The receiver's. Without it, it is derived as by `id_token_credentials`.
        source: Where tokens come from. Without it, Application Default Credentials, cached process-wide.
        token_header: As for `id_token_credentials`.
        channel_credentials: Those of TLS. Without them, `grpc.ssl_channel_credentials()`.
        options: Those of `grpc.secure_channel`.
    """
    tls = channel_credentials or grpc.ssl_channel_credentials()
    by_credentials = _encrypted(audience, source, token_header, options)
    return TokenChannel(grpc.secure_channel(target, tls, options), by_credentials)


def secure_channel_aio(
    target: str,
    audience: str | None = None,
    *,
    source: TokenSource | None = None,
    token_header: TokenHeader = "authorization",
    channel_credentials: grpc.ChannelCredentials | None = None,
    options: Sequence[tuple[str, Any]] | None = None,
) -> grpc.aio.Channel:
    """As `secure_channel`, for `grpc.aio`."""
    tls = channel_credentials or grpc.ssl_channel_credentials()
    by_credentials = _encrypted(audience, source, token_header, options)
    return grpc.aio.secure_channel(target, tls, options=options, interceptors=attach_aio(by_credentials))


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
    by_metadata = _plaintext(target, audience, source, token_header, allow_plaintext_loopback)
    return TokenChannel(grpc.insecure_channel(target, options), by_metadata)


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
    by_metadata = _plaintext(target, audience, source, token_header, allow_plaintext_loopback)
    return grpc.aio.insecure_channel(target, options=options, interceptors=attach_aio(by_metadata))


def _encrypted(
    audience: str | None,
    source: TokenSource | None,
    token_header: TokenHeader,
    options: Sequence[tuple[str, Any]] | None,
) -> ByCredentials:
    # Retries are configured by a service config.
    may_repeat = any(name == "grpc.service_config" for name, _ in options or ())
    return ByCredentials(Plugin(id_tokens(audience, source, token_header, False)), may_repeat=may_repeat)


def _plaintext(
    target: str, audience: str | None, source: TokenSource | None, token_header: TokenHeader, allowed: bool
) -> ByMetadata:
    tokens = id_tokens(audience, source, token_header, False)
    host = target.rpartition("/")[2]
    for scheme in ("dns:", "ipv4:", "ipv6:"):
        host = host.removeprefix(scheme)
    channel = {"is_encrypted": False, "allow_plaintext_loopback": allowed}
    return ByMetadata(tokens, tokens.plan(f"https://{host}", grpc=channel))
