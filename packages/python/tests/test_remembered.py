"""What remembered tokens cost, and that it is bounded."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from gatepass.verifier import HOST_COST
from tokens import CLAIMS, token_of, verifier_at_zero

PROGRAM = """
import json, sys
import gatepass
import tokens

claims = json.loads(sys.argv[1])
all_tokens = [tokens.token_of(**claims, n=number) for number in range(1000)]
verifier = tokens.verifier_at_zero(remembered_bytes=2**34)

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

verifier.verify(all_tokens[0])
before = resident()
for token in all_tokens:
    verifier.verify(token)
print((resident() - before) // len(all_tokens))
"""

SHAPES: dict[str, dict[str, Any]] = {
    "an ordinary token": {"email": "caller@project.iam.gserviceaccount.com", "email_verified": True},
    "many small members": {f"m{number}": {"a": [number, 1.5]} for number in range(100)},
    "long text": {"text": "a" * 4000},
    "text of wide characters": {"text": "\U0001f600" * 500},
    "small numbers in arrays": {"numbers": list(range(1000, 1800))},
    "small objects in arrays": {"objects": [{"a": 300}] * 400},
    "empty objects in arrays": {"objects": [{}] * 800},
    "empty arrays in arrays": {"arrays": [[]] * 800},
    "short texts in arrays": {"texts": ["ab"] * 800},
    "text with one wide character": {"text": "\U0001f600" + "a" * 4000},
    "nested objects": {"objects": [{"a": {"b": {"c": {"d": {"e": {"f": {"g": {}}}}}}}}] * 100},
}


@pytest.mark.skipif(sys.platform != "linux", reason="this system does not say what a process takes")
@pytest.mark.parametrize("shape", SHAPES)
def test_a_token_costs_no_more_than_the_core_is_told(shape: str) -> None:
    """The core's own part is in what is measured as well."""
    claims = SHAPES[shape]
    command = [sys.executable, "-c", PROGRAM, json.dumps(claims)]
    done = subprocess.run(command, cwd=sys.path[0], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    payload = json.dumps({**CLAIMS, **claims, "n": 1000}, ensure_ascii=False)
    # The core counts members and items so, and needs this much for itself.
    members = sum(payload.count(mark) for mark in "{[,")
    length = len(payload.encode())
    core = 512 + length
    cost = HOST_COST["token"] + HOST_COST["member"] * members + HOST_COST["byte"] * length
    assert 0 < int(done.stdout) <= core + cost


def test_they_are_forgotten_within_the_bound() -> None:
    """The claims of a token that is forgotten are made anew, those of one that is remembered are the same."""
    tokens = [token_of(n=number) for number in range(200)]
    small, large = verifier_at_zero(remembered_bytes=64 * 1024), verifier_at_zero()
    for verifier, some_are_forgotten in ((small, True), (large, False)):
        first = [verifier.verify(token) for token in tokens]
        again = [verifier.verify(token) for token in tokens]
        assert any(one is not other for one, other in zip(first, again, strict=True)) == some_are_forgotten
