"""Calls each receiver of the list in argv[1] a hundred times, with ADC's credentials.

Prints a line of JSON for each; the exit status is 0 if all calls succeeded.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import requests

import gatepass

CALLS = 100


def call(receiver: dict[str, str]) -> dict[str, Any]:
    took_us = []
    with requests.Session() as session:
        session.auth = gatepass.requests.IdTokenAuth(receiver["audience"])
        for _ in range(CALLS):
            begun = time.perf_counter_ns()
            response = session.get(receiver["url"], timeout=300)
            took_us.append((time.perf_counter_ns() - begun) // 1000)
            response.raise_for_status()
    return {
        "receiver": receiver["name"],
        "status": response.status_code,
        "email": response.json()["email"],
        "first_us": took_us[0],
        "hundredth_us": took_us[-1],
        "calls": len(took_us),
    }


def main() -> int:
    failed = False
    for receiver in json.loads(sys.argv[1]):
        try:
            line = call(receiver)
        except (gatepass.GatepassError, requests.RequestException, KeyError) as error:
            failed = True
            line = {"receiver": receiver["name"], "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(line), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
