"""A real OpenID Connect issuer, the package oidc-provider: tests/interop/node/oidc-provider.mjs, running."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from support import PATIENCE, REPOSITORY

FOLDER = REPOSITORY / "tests" / "interop" / "node"


class Issuer:
    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None:
            pytest.fail("the OpenID Connect issuer needs Node.js, and there is no program node on the PATH")
        if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
            pytest.fail(f"the OpenID Connect issuer is not installed: run `npm ci` in {FOLDER}")
        self._process = subprocess.Popen(
            [node, str(FOLDER / "oidc-provider.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url: str = self._answer()["issuer"]

    def token(self, audience: str, algorithm: str = "RS256") -> str:
        """An ID token, through the issuer's endpoints."""
        token: str = self._ask("token " + json.dumps({"audience": audience, "alg": algorithm}))["token"]
        return token

    def rotate(self) -> None:
        """Replaces its keys."""
        assert self._ask("rotate") == {"rotated": True}

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the OpenID Connect issuer has ended"
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer
        return answer
