"""Calls the bookstores of argv, as tests/e2e/grpc/README.md says, with ADC's credentials.

Prints a line of JSON for each; the exit status is 0 if all was as asked for.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from bookstore import messages, services

import gatepass
import gatepass.grpc

CALLS = 100
MESSAGES = 3
THREADS = 4
DEADLINE = 30


def channel_to(receiver: dict[str, Any], *, with_token: bool = True) -> grpc.Channel:
    target = receiver["target"]
    options = [
        ("grpc.default_authority", receiver["authority"]),
        ("grpc.ssl_target_name_override", receiver["authority"]),
    ]
    tls = grpc.ssl_channel_credentials(Path(os.environ["TLS_CA"]).read_bytes())
    if not with_token:
        return grpc.secure_channel(target, tls, options)
    return gatepass.grpc.secure_channel(target, channel_credentials=tls, options=options)


# Each method, called with the metadata that is given: its answers.
METHODS: dict[str, Callable[[Any, Any], list[Any]]] = {
    "GetBook": lambda stub, metadata: [
        stub.GetBook(messages.GetBookRequest(title="Emma"), metadata=metadata, timeout=DEADLINE)
    ],
    "ListBooks": lambda stub, metadata: list(
        stub.ListBooks(messages.ListBooksRequest(count=MESSAGES), metadata=metadata, timeout=DEADLINE)
    ),
    "AddBooks": lambda stub, metadata: [stub.AddBooks(books(), metadata=metadata, timeout=DEADLINE)],
    "Discuss": lambda stub, metadata: list(stub.Discuss(books(), metadata=metadata, timeout=DEADLINE)),
}


def books() -> Iterator[Any]:
    return (messages.Book(title=f"Emma {number}") for number in range(MESSAGES))


def call(receiver: dict[str, Any]) -> dict[str, Any]:
    seen: dict[str, Counter[str]] = {name: Counter() for name in METHODS}
    took_us = []
    with channel_to(receiver) as channel:
        stub = services.BookstoreStub(channel)
        for name, method in METHODS.items():
            for _ in range(CALLS if name == "GetBook" else 1):
                begun = time.perf_counter_ns()
                answers = method(stub, None)
                took_us.append((time.perf_counter_ns() - begun) // 1000)
                seen[name].update(answer.caller_email for answer in answers)
    with channel_to(receiver, with_token=False) as channel:
        stub = services.BookstoreStub(channel)
        refusals = {
            bad["what"]: {name: refusal(method, stub, bad["token"]) for name, method in METHODS.items()}
            for bad in receiver["bad_tokens"]
        }
    return {
        "receiver": receiver["name"],
        "calls": CALLS,
        "first_us": took_us[0],
        "hundredth_us": took_us[CALLS - 1],
        "seen": seen,
        "refusals": refusals,
    }


def refusal(method: Callable[[Any, Any], list[Any]], stub: Any, token: str | None) -> dict[str, Any]:
    try:
        method(stub, None if token is None else [("authorization", f"Bearer {token}")])
    except grpc.RpcError as error:
        refused: Any = error
        details = dict(refused.trailing_metadata()).get("grpc-status-details-bin")
        return {
            "code": refused.code().value[0],
            "message": refused.details(),
            "details": None if details is None else base64.b64encode(details).decode(),
        }
    return {"code": 0, "message": "", "details": None}


def call_for_long(run: dict[str, Any]) -> dict[str, Any]:
    calls = run["calls"] // THREADS
    pause = run["seconds"] / calls
    begun = time.monotonic()

    def call_many(stub: Any) -> tuple[Counter[str], list[int]]:
        errors: Counter[str] = Counter()
        millis_left = []
        for number in range(calls):
            time.sleep(max(0.0, begun + number * pause - time.monotonic()))
            try:
                [answer] = METHODS["GetBook"](stub, None)
                millis_left.append(answer.token_millis_left)
            except grpc.RpcError as error:
                failed: Any = error
                errors[f"{failed.code().name}: {failed.details()}"] += 1
        return errors, millis_left

    with channel_to(run) as channel, ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(call_many, [services.BookstoreStub(channel)] * THREADS))
    errors = sum((errors for errors, _ in results), Counter())
    return {
        "calls": calls * THREADS,
        "failed": errors.total(),
        "errors": errors,
        "least_millis_left": min((left for _, all_left in results for left in all_left), default=None),
    }


def main() -> int:
    if sys.argv[1] == "--long":
        line = call_for_long(json.loads(sys.argv[2]))
        print(json.dumps(line), flush=True)
        return int(line["failed"] > 0)
    failed = False
    for receiver in json.loads(sys.argv[1]):
        try:
            line = call(receiver)
        except (gatepass.GatepassError, grpc.RpcError) as error:
            failed = True
            line = {"receiver": receiver["name"], "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(line), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
