"""Forward proxies that real networks have: tinyproxy, and mitmproxy for one that looks into TLS."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

TINYPROXY = os.environ["TINYPROXY"]
MITMDUMP = Path(sys.prefix) / "bin" / "mitmdump"
STARTS_WITHIN_SECONDS = 60


class Tinyproxy:
    """tinyproxy, which notes each request in its log before it does anything else with it."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self._log = folder / "tinyproxy.log"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "Timeout 60", "MaxClients 100"]
        lines += [f'LogFile "{self._log}"', "LogLevel Connect", *settings]
        config = folder / "tinyproxy.conf"
        config.write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen([TINYPROXY, "-d", "-c", str(config)], stdout=subprocess.DEVNULL)
        _wait_for(self.port, self._process)

    def requests(self) -> list[str]:
        """What it was asked for, such as `CONNECT a.example:443`."""
        return re.findall(r"Request \(file descriptor \d+\): (.+) HTTP/1\.[01]", self._log.read_text())

    def forget(self) -> None:
        os.truncate(self._log, 0)

    def close(self) -> None:
        _end(self._process)


class InspectingProxy:
    """mitmproxy, which shows clients certificates of its own authority. Each of its `ports` is a proxy."""

    def __init__(self, folder: Path, ports: int, trusted_ca: Path, *options: str) -> None:
        self._record = folder / "record"
        self._record.touch()
        self.authority = folder / "mitmproxy-ca-cert.pem"
        self.ports = [_free_port() for _ in range(ports)]
        command = [str(MITMDUMP), "--quiet", "--scripts", str(Path(__file__).with_name("record.py"))]
        command += ["--set", f"confdir={folder}", "--set", f"ssl_verify_upstream_trusted_ca={trusted_ca}"]
        for port in self.ports:
            command += ["--mode", f"regular@127.0.0.1:{port}"]
        self._process = subprocess.Popen([*command, *options], env=os.environ | {"RECORD": str(self._record)})
        for port in self.ports:
            _wait_for(port, self._process)

    def requests(self, port: int) -> list[str]:
        """What was asked for at this port, such as `GET https://a.example/b`."""
        lines = map(json.loads, self._record.read_text().splitlines())
        return [line["request"] for line in lines if line["port"] == port]

    def forget(self) -> None:
        os.truncate(self._record, 0)

    def close(self) -> None:
        _end(self._process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """A program that cannot be told to say when it is ready is asked until it answers."""
    ends = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < ends:
        assert process.poll() is None, "the proxy has ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the proxy does not listen")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
