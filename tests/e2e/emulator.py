"""The emulator, and the programs that the suites start."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLI = os.environ["GATEPASS_CLI"]
AUDIENCE = "https://receiver.example"
CALLER = "caller@emulator.iam.gserviceaccount.com"

# Whatever the machine's own proxies are: the suites ask the emulator directly.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Emulator:
    """`gatepass emulator`, with TLS, and reached by the name emulator.example as well."""

    NAME = "emulator.example"

    def __init__(self) -> None:
        command = [
            CLI,
            "emulator",
            "--port",
            "0",
            "--mtls-port",
            "0",
            "--exit-with-stdin",
            "--san",
            "127.0.0.1",
        ]
        command += ["--san", "localhost", "--san", self.NAME]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.environment: dict[str, str] = {}
        self.port = self.tls_port = 0
        for line in self._process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                self.environment[name] = value.strip("'")
            elif line.startswith("# mTLS on "):
                self.tls_port = int(line.rsplit(":", 1)[1])
            elif line.startswith("# listening on "):
                self.port = int(line.rsplit(":", 1)[1])
                break
        assert self.port and self.tls_port, "the emulator did not start"
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys_url = f"{self.url}/oauth2/v3/certs"

    def close(self) -> None:
        self._process.communicate()

    def mint(self, **order: Any) -> str:
        token: str = json.load(self._ask("/emulator/v1/mint", order))["token"]
        return token

    def reset(self) -> None:
        self._ask("/emulator/v1/requests:reset", {})

    def counts(self) -> dict[str, int]:
        """How often each path was asked for."""
        counts: dict[str, int] = json.load(self._ask("/emulator/v1/requests"))["counts"]
        return counts

    def _ask(self, path: str, order: Any = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        return _open(urllib.request.Request(self.url + path, data), timeout=60)
