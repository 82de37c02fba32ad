"""Google's own call credentials for gRPC, and servers that check with gatepass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import gatepass
from gatepass.testing import Emulator
from orders import AUDIENCE, KINDS, Server, answers, call, certified, sync_server

EMAIL = "caller@orders-prod.iam.gserviceaccount.com"


@pytest.fixture
def server(emulator: Emulator, tmp_path: Path) -> Iterator[Server]:
    running, tls = certified(tmp_path)
    checks = gatepass.Verifier(AUDIENCE, keys_url=emulator.keys_url, allowed_emails=EMAIL)
    with sync_server(tls, running, checks):
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_auth_metadata_plugin(kind: str, server: Server, adc: Callable[..., Path]) -> None:
    import google.auth.transport.grpc
    import google.auth.transport.requests
    import google.oauth2.id_token

    adc("--email", EMAIL)
    request: Any = google.auth.transport.requests.Request()
    credentials: Any = google.oauth2.id_token.fetch_id_token_credentials(AUDIENCE, request)  # type: ignore[no-untyped-call]
    plugin: Any = google.auth.transport.grpc.AuthMetadataPlugin(credentials, request)  # type: ignore[no-untyped-call]
    with server.channel(grpc.metadata_call_credentials(plugin)) as channel:
        for _ in range(2):
            assert call(channel, kind) == answers(kind, EMAIL)


def test_secure_authorized_channel(server: Server, adc: Callable[..., Path]) -> None:
    import google.auth.transport.grpc
    import google.auth.transport.requests
    import google.oauth2.id_token

    adc("--email", EMAIL)
    request: Any = google.auth.transport.requests.Request()
    credentials: Any = google.oauth2.id_token.fetch_id_token_credentials(AUDIENCE, request)  # type: ignore[no-untyped-call]
    channel: Any = google.auth.transport.grpc.secure_authorized_channel(  # type: ignore[no-untyped-call]
        credentials, request, f"127.0.0.1:{server.port}", grpc.ssl_channel_credentials(server.root)
    )
    with channel:
        assert call(channel, "unary_unary") == [EMAIL.encode()]


def test_access_token_call_credentials(server: Server, emulator: Emulator) -> None:
    token = emulator.mint(AUDIENCE, email=EMAIL)
    with server.channel(grpc.access_token_call_credentials(token)) as channel:
        for kind in KINDS:
            assert call(channel, kind) == answers(kind, EMAIL)
