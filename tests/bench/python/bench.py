"""gatepass beside the libraries that a user of Python would otherwise pick.

    python tests/bench/python/bench.py --rounds 5 --seconds 0.4 --job V1,V2

Prints a line of JSON for each job and peer. In each round all peers of a job take their turn, so that
whatever else the machine does meets them alike. The jobs are those of the list at the end. Nothing leaves the
loopback interface.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import material
import verifying

# Seconds after which whatever hangs has failed.
PATIENCE = 120
THREADS = 4
COLD_CALLERS = 1_000
# Seconds that the metadata server takes to answer cold callers: while one waits the others come.
ANSWER_TIME = 0.02

# Measures once, for so many seconds where that has a meaning.
Measure: TypeAlias = Callable[[float], float]


@dataclass
class Peer:
    """A library at a job."""

    name: str
    distribution: str
    measure: Measure

    @property
    def version(self) -> str:
        return version(self.distribution) if self.distribution else ""


@dataclass
class Line:
    """A line of output."""

    language: str
    job: str
    peer: str
    version: str
    unit: str
    rounds: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=0.4, help="how long each peer is measured in a round"
    )
    parser.add_argument("--job", help=f"some of {', '.join(JOBS)}, separated by commas")
    arguments = parser.parse_args()
    names = arguments.job.split(",") if arguments.job else list(JOBS)
    if unknown := set(names) - set(JOBS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(JOBS)}")
    for name in names:
        unit, peers_of = JOBS[name]
        with peers_of() as peers:
            lines = [Line("python", name, peer.name, peer.version, unit, []) for peer in peers]
            for _ in range(arguments.rounds):
                for peer, line in zip(peers, lines, strict=True):
                    line.rounds.append(round(peer.measure(arguments.seconds), 3))
        for line in lines:
            print(json.dumps(asdict(line)), flush=True)


def rate(turn: Callable[[], int], seconds: float) -> float:
    """Operations per second; a turn does some of them and says how many."""
    done = 0
    begun = time.perf_counter()
    while True:
        done += turn()
        took = time.perf_counter() - begun
        if took >= seconds:
            return done / took


def rate_of(call: Callable[[str], Any], tokens: list[str]) -> Measure:
    """The rate at which tokens, one after the other, are taken."""

    def turn() -> int:
        for token in tokens:
            call(token)
        return len(tokens)

    return lambda seconds: rate(turn, seconds)


# Verification


def form_of(issuer: material.Issuer) -> dict[str, Any]:
    """An issuer as `verifying` and `process` take it."""
    names = ("algorithm", "audience", "jwks", "name", "public_pem")
    return {"kid": material.KID, "token": issuer.token(), **{name: getattr(issuer, name) for name in names}}


def check(verify: verifying.Verify, issuer: material.Issuer) -> None:
    """Whoever does not refuse what is wrong is not measured."""
    other = material.Issuer("https://evil.example", issuer.algorithm, issuer.audience, issuer.key)
    elsewhere = material.Issuer(issuer.name, issuer.algorithm, "/projects/1/apps/p", issuer.key)
    for wrong in (other.token(), elsewhere.token(), issuer.token()[:-40] + "A" * 40):
        with suppress(Exception):
            verify(wrong)
            sys.exit("a peer has accepted what it must refuse")
    assert verify(issuer.token())["iss"] == issuer.name


def verifiers(issuer: material.Issuer, tokens: list[str], threads: int = 1) -> list[Peer]:
    peers = []
    for name, (distribution, make) in verifying.PEERS.items():
        verify = make(form_of(issuer))
        check(verify, issuer)
        peers.append(Peer(name, distribution, on_threads(rate_of(verify, tokens), threads)))
    return peers


def at_first_sight(issuer: material.Issuer, tokens: list[str], threads: int = 1) -> Peer:
    """gatepass, when it has seen none of the tokens before: each turn has a new verifier."""
    form = form_of(issuer)

    def turn() -> int:
        verify = verifying.gatepass(form)
        for token in tokens:
            verify(token)
        return len(tokens)

    return Peer("gatepass, every token new", "gatepass", on_threads(lambda seconds: rate(turn, seconds), threads))


def on_threads(measure: Measure, threads: int) -> Measure:
    """The sum of what several threads reach at once."""
    if threads == 1:
        return measure

    def together(seconds: float) -> float:
        with ThreadPoolExecutor(threads) as pool:
            return sum(pool.map(measure, [seconds] * threads))

    return together


def empty_call() -> Peer:
    """The least that a call over the border costs."""
    from gatepass import _native

    op = _native.own_audiences()
    op.cancel()
    return Peer("empty call", "gatepass", rate_of(lambda _, cancel=op.cancel: cancel(), [""] * 1_000))


def distinct(issuer: material.Issuer) -> list[str]:
    return [issuer.token(number) for number in range(1_000)]


@contextmanager
def repeated_token() -> Iterator[list[Peer]]:
    issuer = material.google()
    yield [*verifiers(issuer, [issuer.token()] * 1_000), empty_call()]


@contextmanager
def distinct_tokens() -> Iterator[list[Peer]]:
    issuer = material.google()
    tokens = distinct(issuer)
    yield [*verifiers(issuer, tokens), at_first_sight(issuer, tokens)]


@contextmanager
def distinct_es256() -> Iterator[list[Peer]]:
    issuer = material.iap()
    tokens = distinct(issuer)
    yield [*verifiers(issuer, tokens), at_first_sight(issuer, tokens)]


@contextmanager
def repeated_on_threads() -> Iterator[list[Peer]]:
    issuer = material.google()
    yield verifiers(issuer, [issuer.token()] * 1_000, THREADS)


@contextmanager
def distinct_on_threads() -> Iterator[list[Peer]]:
    issuer = material.google()
    tokens = distinct(issuer)
    yield [*verifiers(issuer, tokens, THREADS), at_first_sight(issuer, tokens, THREADS)]


def grown(entries: int) -> Callable[[], Any]:
    """A verifier that has taken so many tokens, at the last ten of them."""

    @contextmanager
    def peers() -> Iterator[list[Peer]]:
        issuer = material.iap()
        verify = verifying.gatepass(form_of(issuer))
        tokens: list[str] = []
        for number in range(entries):
            tokens = [*tokens[-9:], issuer.token(number)]
            verify(tokens[-1])
        yield [Peer("gatepass", "gatepass", rate_of(verify, tokens * 100))]

    return peers


# Tokens to send


@contextmanager
def signed_assertions() -> Iterator[list[Peer]]:
    """Claims, and their signature with a service account's key. gatepass does it as whoever fetches such a
    token: through its cache, with an audience that is not in it."""
    import google.auth.crypt
    import google.auth.jwt
    import joserfc.jwk
    import joserfc.jwt
    import jwt

    import gatepass

    issuer = material.google()
    source = gatepass.TokenSource(credentials_json=material.key_file(issuer))
    signer = google.auth.crypt.RSASigner.from_string(issuer.private_pem, material.KID)
    jwk = joserfc.jwk.RSAKey.import_key(issuer.private_pem)
    header = {"alg": "RS256", "kid": material.KID}
    number = count()
    calls: list[tuple[str, str, Callable[[str], Any]]] = [
        ("gatepass", "gatepass", lambda _: source.fetch_self_signed_jwt(f"https://a{next(number)}.example/")),
        ("google-auth", "google-auth", lambda _: google.auth.jwt.encode(signer, issuer.claims())),
        ("PyJWT", "PyJWT", lambda _: jwt.encode(issuer.claims(), issuer.key, "RS256", header)),
        ("joserfc", "joserfc", lambda _: joserfc.jwt.encode(header, issuer.claims(), jwk)),
    ]
    yield [Peer(name, of, rate_of(call, [""] * 100)) for name, of, call in calls]


@contextmanager
def warm_header() -> Iterator[list[Peer]]:
    """The headers of a call, with a token that is there."""
    import google.oauth2.service_account

    import gatepass

    with metadata_server() as server:
        source = gatepass.TokenSource()
        os.environ["GCE_METADATA_HOST"] = server.address
        source.fetch_id_token(material.AUDIENCE)
        del os.environ["GCE_METADATA_HOST"]
    credentials: Any = google.oauth2.service_account.IDTokenCredentials.from_service_account_info(
        material.key_file(material.google()), target_audience=material.AUDIENCE
    )
    credentials.token = material.google().token()
    credentials.expiry = datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(hours=1)
    yield [
        Peer("gatepass", "gatepass", rate_of(source.id_token_header, [material.AUDIENCE] * 1_000)),
        Peer(
            "google-auth",
            "google-auth",
            rate_of(
                lambda url: credentials.before_request(None, "GET", url, {}), [material.AUDIENCE] * 1_000
            ),
        ),
    ]


@contextmanager
def cold_callers() -> Iterator[list[Peer]]:
    """How many requests a thousand callers make who want the same token, when there is none yet."""
    with metadata_server(ANSWER_TIME) as server:
        os.environ["GCE_METADATA_HOST"] = server.address
        # After the variable is set: google-auth reads it when it is imported.
        import google.auth.compute_engine
        import google.auth.transport.requests

        import gatepass

        def by_gatepass() -> Callable[[], Any]:
            source = gatepass.TokenSource()
            return lambda: source.id_token_header(material.AUDIENCE)

        def by_google_auth() -> Callable[[], Any]:
            request: Any = google.auth.transport.requests.Request()
            credentials: Any = google.auth.compute_engine.IDTokenCredentials(
                request, material.AUDIENCE, use_metadata_identity_endpoint=True
            )
            return lambda: credentials.before_request(request, "GET", material.AUDIENCE, {})

        def requests_of(make: Callable[[], Callable[[], Any]]) -> Measure:
            def measure(_: float) -> float:
                call, ready = make(), threading.Barrier(COLD_CALLERS)
                server.requests = 0

                def caller(_: int) -> None:
                    ready.wait(PATIENCE)
                    call()

                with ThreadPoolExecutor(COLD_CALLERS) as pool:
                    list(pool.map(caller, range(COLD_CALLERS), timeout=PATIENCE))
                return server.requests

            return measure

        yield [
            Peer("gatepass", "gatepass", requests_of(by_gatepass)),
            Peer("google-auth", "google-auth", requests_of(by_google_auth)),
        ]
        del os.environ["GCE_METADATA_HOST"]


class MetadataServer(ThreadingHTTPServer):
    request_queue_size = 2 * COLD_CALLERS
    daemon_threads = True
    requests = 0
    address = ""


@contextmanager
def metadata_server(answer_time: float = 0) -> Iterator[MetadataServer]:
    """Gives an ID token, and counts how often it was asked for one."""
    token, lock = material.google().token().encode(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_token = "/identity" in self.path
            with lock:
                server.requests += is_token
            body = token if is_token else json.dumps({"email": material.EMAIL, "scopes": []}).encode()
            time.sleep(answer_time)
            self.send_response(200)
            self.send_header("Metadata-Flavor", "Google")
            self.send_header("Content-Type", "application/text" if is_token else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = MetadataServer(("127.0.0.1", 0), Handler)
    server.address = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


# In processes of their own


def process(task: str, peer: str) -> subprocess.Popen[str]:
    program = str(Path(__file__).with_name("process.py"))
    streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, program, task, peer], **streams)


def in_fresh_processes(measure: Callable[[str, str], float]) -> Callable[[], Any]:
    @contextmanager
    def peers() -> Iterator[list[Peer]]:
        form = json.dumps(form_of(material.google())) + "\n"
        names = {"empty process": "", **{name: of for name, (of, _) in verifying.PEERS.items()}}
        yield [Peer(name, of, lambda _, name=name: measure(name, form)) for name, of in names.items()]

    return peers


def milliseconds_to_first_verification(peer: str, form: str) -> float:
    begun = time.perf_counter()
    done = process("cold", peer)
    done.communicate(form, PATIENCE)
    assert done.returncode == 0
    return (time.perf_counter() - begun) * 1000


def megabytes_after_first_verification(peer: str, form: str) -> float:
    return float(process("cold", peer).communicate(form, PATIENCE)[0])


@contextmanager
def hello_services() -> Iterator[list[Peer]]:
    """Processor time of a Flask service for each request. The difference to "no check" is the cost of one."""
    form = form_of(material.google())
    names = {"no check": "flask", "gatepass": "gatepass", "google-auth": "google-auth"}
    services = {name: process("hello", name) for name in names}
    peers = []
    for name, service in services.items():
        assert service.stdin and service.stdout
        service.stdin.write(json.dumps(form) + "\n")
        service.stdin.flush()
        port = int(service.stdout.readline().split()[1])
        peers.append(Peer(name, names[name], microseconds_of(service, port, form["token"])))
    yield peers
    for service in services.values():
        service.communicate(timeout=PATIENCE)


def microseconds_of(service: subprocess.Popen[str], port: int, token: str) -> Measure:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def used() -> float:
        assert service.stdin and service.stdout
        service.stdin.write("\n")
        service.stdin.flush()
        return float(service.stdout.readline())

    def turn() -> int:
        for _ in range(10):
            connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, b"hello")
        return 10

    def measure(seconds: float) -> float:
        before, begun, requests = used(), time.perf_counter(), 0
        while time.perf_counter() - begun < seconds or not requests:
            requests += turn()
        return (used() - before) / requests

    return measure


# Each job, with its unit and its peers.
JOBS: dict[str, tuple[str, Callable[[], Any]]] = {
    "V1": ("op/s", repeated_token),
    "V2": ("op/s", distinct_tokens),
    "V3": ("op/s", distinct_es256),
    "V4-repeated": ("op/s", repeated_on_threads),
    "V4-distinct": ("op/s", distinct_on_threads),
    "S": ("op/s", signed_assertions),
    "H": ("op/s", warm_header),
    "M-start": ("ms", in_fresh_processes(milliseconds_to_first_verification)),
    "M-rss": ("MB", in_fresh_processes(megabytes_after_first_verification)),
    "W": ("us", hello_services),
    "G-10": ("op/s", grown(10)),
    "G-1000": ("op/s", grown(1_000)),
    "G-100000": ("op/s", grown(100_000)),
    "F": ("requests", cold_callers),
}


if __name__ == "__main__":
    main()
