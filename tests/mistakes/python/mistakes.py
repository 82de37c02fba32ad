"""Makes each of the named mistakes and prints what it gets for it, a line of JSON for each.

argv[1]: {"mistakes": [name, …], "audience": …, "tokens": {name: …}, "url": <of the emulator>}.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import requests

import gatepass
import gatepass.aio
import gatepass.httpx
import gatepass.requests

asked = json.loads(sys.argv[1])
audience: str = asked["audience"]
tokens: dict[str, str] = asked["tokens"]
url: str = asked["url"]


def verify(token: Any) -> Any:
    return gatepass.verify_id_token(token, audience=audience)


def with_a_closed_client() -> Any:
    client = httpx.Client(auth=gatepass.httpx.IdTokenAuth(audience))
    client.close()
    return client.get(url)


MISTAKES: dict[str, Callable[[], Any]] = {
    "no_credentials": lambda: gatepass.fetch_id_token(audience),
    "wrong_path": lambda: gatepass.fetch_id_token(audience),
    "wrong_audience": lambda: verify(tokens["other_audience"]),
    "missing_scheme": lambda: gatepass.audience_for_url("orders.example/items"),
    "trailing_slash": lambda: verify(tokens["trailing_slash"]),
    "access_token": lambda: verify(
        gatepass.fetch_access_token("https://www.googleapis.com/auth/cloud-platform")
    ),
    "plain_http": lambda: requests.get(
        "http://orders.example/items", auth=gatepass.requests.IdTokenAuth(audience), timeout=10
    ),
    "emulator_down": lambda: gatepass.fetch_id_token(audience),
    "clock_behind": lambda: verify(tokens["issued_in_two_hours"]),
    "no_audience": lambda: gatepass.Verifier(),
    "keys_url_404": lambda: gatepass.Verifier(audience, keys_url=f"{url}/no/such/keys").verify(
        tokens["good"]
    ),
    "bearer": lambda: verify(f"Bearer {tokens['good']}"),
    "newline": lambda: verify(f"{tokens['good']}\n"),
    "empty": lambda: verify(""),
    "null": lambda: verify(None),
    "list": lambda: verify([tokens["good"]]),
    "typo": lambda: gatepass.Verifier(audiance=audience),  # type: ignore[call-arg]
    "closed_client": with_a_closed_client,
    "no_await": lambda: verify(gatepass.aio.fetch_id_token(audience)),
    "wrong_preset": lambda: gatepass.Verifier(audience, preset="iap").verify(tokens["good"]),
}


def answer(mistake: Callable[[], Any]) -> dict[str, Any]:
    try:
        result = mistake()
    except Exception as error:
        return {"type": type(error).__name__, "code": getattr(error, "code", None), "message": str(error)}
    return {"type": "no error", "code": None, "message": repr(result)}


def main() -> None:
    # Python warns of the coroutine that nobody awaits as well.
    warnings.simplefilter("ignore", RuntimeWarning)
    for name in asked["mistakes"]:
        print(json.dumps({"mistake": name, **answer(MISTAKES[name])}), flush=True)


if __name__ == "__main__":
    main()
