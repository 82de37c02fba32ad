"""Google's endpoints on this machine, for tests: `gatepass emulator`, started and steered.

    with gatepass.testing.Emulator() as emulator:
        token = emulator.mint("https://receiver.example", email="caller@project.iam.gserviceaccount.com")
        verifier = gatepass.Verifier("https://receiver.example", keys_url=emulator.keys_url)
        assert verifier.verify(token)["email"] == "caller@project.iam.gserviceaccount.com"

For pytest, `gatepass.testing.plugin` has fixtures. It takes the program `gatepass`: the one that `program`
names, else that of the environment variable `GATEPASS_PROGRAM`, else that on `PATH`.

The emulator's keys are public: never make a service trust them that others can reach.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typing_extensions import Self

__all__ = ["Emulator"]

# Seconds for an answer, or the end of a program, that takes milliseconds.
PATIENCE = 60


class Emulator:
    """The emulator, running until `stop` or the end of a `with` block, and no longer than this process.

    Args:
        arguments: Options of `gatepass emulator`, such as `["--lifetime", "60"]`. Ports are free ones.
        program: The program `gatepass`.

    Raises:
        FileNotFoundError: There is no program `gatepass`.
        RuntimeError: It has ended without listening.
    """

    def __init__(
        self, arguments: Iterable[str] = (), *, program: str | os.PathLike[str] | None = None
    ) -> None:
        self.program = find_program(program)
        """The program's path."""
        self.url = ""
        """The URL where it listens, without a slash at the end."""
        self.tls_url = ""
        """The same over TLS: it asks for a client certificate, and `authority` has signed its own."""
        self.keys_url = ""
        """Where it publishes the keys of its ID tokens: `keys_url` of a `Verifier`."""
        self.environment: dict[str, str] = {}
        """The variables by which Application Default Credentials find it, Google's libraries' as well."""
        command = [
            self.program,
            "emulator",
            "--port",
            "0",
            "--mtls-port",
            "0",
            "--exit-with-stdin",
            *arguments,
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                self.environment[name] = value
            if line.startswith("# mTLS on "):
                self.tls_url = line.removeprefix("# mTLS on ").strip()
            if line.startswith("# listening on "):
                self.url = line.removeprefix("# listening on ").strip()
                # Now, and not when it is asked for: a test counts what is asked then.
                self.keys_url = self._ask("GET", "/.well-known/openid-configuration")["jwks_uri"]
                return
        self.stop()
        raise RuntimeError(f"{self.program} emulator has ended without listening")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it, and waits until it has ended."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(PATIENCE)

    def mint(
        self,
        audience: str | None = None,
        *,
        email: str | None = None,
        claims: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """An ID token of Google's, as good or as bad as ordered.

        Args:
            audience: Whom it is for.
            email: The service account that it speaks for; by default that of the metadata server.
            claims: Other claims to have in it.
            changes: What else is different: `header`, a list `omit` of claims to leave out, `lifetime` in
                seconds, `issued_at` in Unix seconds, `strip_signature`, `key="iap"`.
        """
        named = {"aud": audience, "email": email}
        given = {name: value for name, value in named.items() if value is not None}
        order = {"claims": {**given, **(claims or {})}, **changes}
        token: str = self._control("POST", "mint", order)["token"]
        return token

    def fault(self, path: str, **order: Any) -> None:
        """Spoils the next answer for a path, or the next `times` answers, such as
        `fault("/token", status=503, times=2)`, or with `delay_ms`, `drop`, `body`, `lifetime`."""
        self._control("POST", "fault", {"path": path, **order})

    def set_clock(self, offset_seconds: int) -> None:
        """Sets how far its clock is fast, or slow if negative."""
        self._control("POST", "clock", {"offset_seconds": offset_seconds})

    def rotate_keys(self) -> None:
        """Replaces the keys of its ID tokens."""
        self._control("POST", "keys:rotate")

    def counts(self) -> dict[str, int]:
        """How often each path was asked for since the last `reset`."""
        counts: dict[str, int] = self._control("GET", "requests")["counts"]
        return counts

    def reset(self) -> None:
        """Counts from zero, forgets the faults that wait, and sets the clock right. Rotated keys stay."""
        self._control("POST", "requests:reset")
        self._control("POST", "fault:clear")
        self.set_clock(0)

    def key_file(self, email: str) -> str:
        """The text of a service account's key file, for `TokenSource(credentials_json=…)`."""
        return self._run("key", "--email", email, "--emulator", self.url)

    def write_key_file(self, path: str | os.PathLike[str], *options: str) -> Path:
        """Writes a credential file of any kind, by the options of `gatepass emulator key`, and the files that
        it names next to it. Gives its path."""
        self._run("key", *options, "--emulator", self.url, "--mtls", self.tls_url, "--out", os.fspath(path))
        return Path(path)

    def authority(self) -> str:
        """The certificate of the authority that has signed its own, in PEM."""
        return self._run("ca")

    def token_info(self, access_token: str) -> dict[str, Any]:
        """What one of its access tokens stands for."""
        info: dict[str, Any] = self._ask("GET", f"/tokeninfo?{urlencode({'access_token': access_token})}")
        return info

    def push(self, *options: str) -> bool:
        """Sends a request as one of Google's senders does, by the options of `gatepass emulator push`. Tells
        whether it was accepted."""
        return self._start("push", "--emulator", self.url, *options).returncode == 0

    def _run(self, *arguments: str) -> str:
        done = self._start(*arguments)
        if done.returncode != 0:
            raise RuntimeError(f"{self.program} emulator {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def _start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.program, "emulator", *arguments]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE)

    def _control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._ask(method, f"/emulator/v1/{path}", None if method == "GET" else json.dumps(body or {}))

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        # Not through a proxy, whatever the environment says.
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 400:
            raise RuntimeError(
                f"the emulator answers {answer.status} to {method} {path.partition('?')[0]}: {text}"
            )
        return json.loads(text or "null")


def find_program(program: str | os.PathLike[str] | None = None) -> str:
    """The path of the program `gatepass`."""
    if program is not None:
        return os.fspath(program)
    found = os.environ.get("GATEPASS_PROGRAM") or shutil.which("gatepass")
    if not found:
        raise FileNotFoundError(
            "no program `gatepass` on PATH: install it with `cargo install --path packages/cli`, "
            "or set GATEPASS_PROGRAM to its path"
        )
    return found
