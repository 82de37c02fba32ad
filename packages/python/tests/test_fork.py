"""A forked child keeps the tokens and waits for none of its parent's threads."""

from __future__ import annotations

import os
import signal
import threading
import urllib.request
import warnings
from collections.abc import Callable

import pytest

import gatepass
from gatepass.testing import Emulator
from support import IDENTITY, PATIENCE, Answer, Gate, Request, Server, metadata_server
from tokens import token_of, verifier_at_zero

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

AUDIENCE = "https://receiver.example"


def in_child(check: Callable[[], bool]) -> Callable[[], None]:
    """Runs the check in a forked child. The function that comes back waits for it, and fails if it did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # That threads are running is the point.
        child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        status = 1
        try:
            status = 0 if check() else 2
        finally:
            os._exit(status)

    def join() -> None:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    return join


def test_a_child_keeps_the_tokens(adc: Emulator) -> None:
    source = gatepass.TokenSource()
    token = source.fetch_id_token(AUDIENCE)
    in_child(lambda: source.fetch_id_token(AUDIENCE) == token)()
    source._id_tokens.clear()  # The core's own cache has it as well.
    in_child(lambda: source.fetch_id_token(AUDIENCE) == token)()
    assert adc.counts() == {IDENTITY: 1}


def test_a_child_does_not_wait_for_its_parents_fetch(emulator: Emulator) -> None:
    gate = Gate()
    token = emulator.mint(claims={"aud": AUDIENCE})

    def answer(request: Request) -> Answer:
        gate.hold()
        return Answer(body=token, headers={"Metadata-Flavor": "Google"})

    with metadata_server(answer) as server:
        source = gatepass.TokenSource()
        got: list[str] = []
        parents = threading.Thread(target=lambda: got.append(source.fetch_id_token(AUDIENCE)), daemon=True)
        parents.start()
        gate.wait_for(1)
        with (
            source._flights._lock
        ):  # Even a fork in the midst of a look-up leaves the child a lock of its own.
            join = in_child(lambda: source.fetch_id_token(AUDIENCE) == token)
        gate.wait_for(2)
        gate.open()
        join()
        parents.join(PATIENCE)
        assert got == [token]
        assert len(server.requests) == 2


def test_a_child_does_not_wait_for_its_parents_keys(emulator: Emulator) -> None:
    gate = Gate()
    token = emulator.mint(claims={"aud": AUDIENCE})
    keys = urllib.request.urlopen(emulator.keys_url, timeout=PATIENCE).read()

    def answer(request: Request) -> Answer:
        gate.hold()
        return Answer(body=keys)

    with Server(answer) as server:
        verifier = gatepass.Verifier(AUDIENCE, keys_url=server.url)
        parents = threading.Thread(target=verifier.verify, args=(token,), daemon=True)
        parents.start()
        gate.wait_for(1)
        join = in_child(lambda: verifier.verify(token)["aud"] == AUDIENCE)
        gate.wait_for(2)
        gate.open()
        join()
        parents.join(PATIENCE)
        in_child(lambda: verifier.verify(token)["aud"] == AUDIENCE)()
        assert len(server.requests) == 2


def test_a_child_checks_tokens_whatever_its_parents_threads_were_checking() -> None:
    """They do so without the interpreter's lock, and would leave the core's own locks locked."""
    verifier, other = verifier_at_zero(), token_of()
    tokens = [token_of(sub=str(number)) for number in range(200)]
    ended = threading.Event()

    def check_new_tokens() -> None:
        while not ended.is_set():
            check = verifier_at_zero().verify
            for token in tokens:
                check(token)
                verifier.verify(token)

    threads = [threading.Thread(target=check_new_tokens, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    joins = [in_child(lambda: verifier.verify(other)["sub"] == "1") for _ in range(20)]
    ended.set()
    for join in [*joins, *[thread.join for thread in threads]]:
        join()
