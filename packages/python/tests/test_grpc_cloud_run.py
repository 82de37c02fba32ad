"""gRPC behind Cloud Run's front end, `gatepass emulator run`: over HTTP/2 without TLS, where a token comes
without its signature."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

import gatepass
import gatepass.grpc
from gatepass.testing import Emulator
from orders import KINDS, answers, call, certified, emulator_account, refused, sync_server
from support import PATIENCE


@contextmanager
def front_end(emulator: Emulator, port: int) -> Iterator[tuple[str, str]]:
    """Where it is, and the URL of the service that it stands for."""
    command = [emulator.program, "emulator", "run", "--service", "orders", "--to", f"http://127.0.0.1:{port}"]
    command += ["--invoker", emulator_account(emulator), "--emulator", emulator.url, "--exit-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        urls = []
        for line in process.stdout:
            if line.startswith("# audience "):
                urls.append(line.split()[-1])
            if line.startswith("# listening on http://"):
                yield line.strip().removeprefix("# listening on http://"), urls[0]
                break
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("token_header", "options"),
    [("authorization", {"trust_cloud_run_and_skip_signature": True}), ("both", {})],
)
def test_calls_pass_the_front_end(
    token_header: Any, options: dict[str, Any], adc: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("K_SERVICE", "orders")
    server, tls = certified(tmp_path)
    audience = "https://orders-123456789012.us-central1.run.app"
    checks = gatepass.Verifier(audience, keys_url=adc.keys_url, **options)
    with sync_server(tls, server, checks), front_end(adc, server.plaintext_port) as (target, url):
        assert url == audience
        channel = gatepass.grpc.insecure_channel(
            target, audience, token_header=token_header, allow_plaintext_loopback=True
        )
        with channel:
            for kind in KINDS:
                assert call(channel, kind) == answers(kind, emulator_account(adc))
        with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
            call(channel, "unary_unary")
        error: Any = caught.value
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED, "the front end's own answer, 403"


def test_without_that_option_no_token_without_signature_is_accepted(adc: Emulator, tmp_path: Path) -> None:
    server, tls = certified(tmp_path)
    audience = "https://orders-123456789012.us-central1.run.app"
    checks = gatepass.Verifier(audience, keys_url=adc.keys_url)
    with sync_server(tls, server, checks), front_end(adc, server.plaintext_port) as (target, url):
        channel = gatepass.grpc.insecure_channel(target, url, allow_plaintext_loopback=True)
        with channel:
            refused(channel, "stream_stream", grpc.StatusCode.UNAUTHENTICATED, "SIGNATURE_STRIPPED")
