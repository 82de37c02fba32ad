"""gatepass compared with the libraries that a user of Python would otherwise pick.

    python tests/bench/python/bench.py --rounds 5 --seconds 0.4 --job V1,V2

Prints a line of JSON for each job and peer. In each round all peers of a job take their turn, so that
whatever else the machine does meets them alike. The jobs are those of the list at the end. Nothing leaves the
loopback interface.
"""

from __future__ import annotations

import argparse
import ast
import json
import marshal
import os
import py_compile
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import calling
import material
import verifying

# Seconds after which whatever hangs has failed.
PATIENCE = 120
THREADS = 4
COLD_CALLERS = 1_000
# Seconds that the metadata server takes to answer cold callers: while one waits the others come.
ANSWER_TIME = 0.02

# The most rounds of a job that takes its own time.
FEW_ROUNDS = 5
# Tokens whose memory is measured.
GROWN = 10_000
# How many requests a service answers in a round: so many times so many.
SHIFTS = 20
REQUESTS = 100
# How many calls of gRPC there are in a round of R. Rounds are short, and many: what else the machine does changes
# a long one more than a token may.
CALLS = 200
SHORT_ROUNDS = 10

# Measures once, for so many seconds where that has a meaning; one figure, or one for each of the job, of which
# the last may be left out.
Measure: TypeAlias = Callable[[float], "float | Sequence[float]"]
Rate: TypeAlias = Callable[[float], float]


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
class Job:
    """What is measured in one go: the names and units of its figures, and who takes part."""

    figures: dict[str, str]
    peers: Callable[[], AbstractContextManager[list[Peer]]]
    most_rounds: int | None = None
    # How many there are for each that was asked for.
    short_rounds: int = 1


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
    known = [name for job in JOBS for name in job.figures]
    parser.add_argument("--job", help=f"some of {', '.join(known)}, separated by commas")
    arguments = parser.parse_args()
    names = set(arguments.job.split(",") if arguments.job else known)
    # "R" is "R-client" and "R-server".
    whole = {name for name in names if any(each.startswith(f"{name}-") for each in known)}
    if unknown := names - whole - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(known)}")
    names |= {each for each in known if each.rpartition("-")[0] in whole}
    for job in JOBS:
        if names & set(job.figures):
            rounds = arguments.rounds * job.short_rounds
            run(job, min(rounds, job.most_rounds or rounds), arguments.seconds)


def run(job: Job, rounds: int, seconds: float) -> None:
    with job.peers() as peers:
        lines = [
            [Line("python", name, peer.name, peer.version, unit, []) for name, unit in job.figures.items()]
            for peer in peers
        ]
        for _ in range(rounds):
            turns = list(zip(peers, lines, strict=True))
            for peer, lines_of_peer in random.sample(turns, len(turns)):
                measured = peer.measure(seconds)
                figures = measured if isinstance(measured, Sequence) else [measured]
                for line, figure in zip(lines_of_peer, figures, strict=False):
                    line.rounds.append(round(figure, 3))
    for position in range(len(job.figures)):
        for line in (lines_of_peer[position] for lines_of_peer in lines):
            if line.rounds:
                print(json.dumps(asdict(line)), flush=True)


Clock = Callable[[], float]


def clock_of(threads: int) -> Clock:
    """One thread is measured by the processor time that it gets, which is the same whoever else is on the
    machine. Several are not: they may wait for each other."""
    return time.process_time if threads == 1 else time.perf_counter


def rate(turn: Callable[[], int], seconds: float, clock: Clock = time.process_time) -> float:
    """Operations per second; a turn does some of them and says how many."""
    done = 0
    begun = clock()
    while True:
        done += turn()
        took = clock() - begun
        if took >= seconds:
            return done / took


def rate_of(call: Callable[[str], Any], tokens: list[str], clock: Clock = time.process_time) -> Rate:
    """The rate at which tokens, one after the other, are taken."""

    def turn() -> int:
        for token in tokens:
            call(token)
        return len(tokens)

    return lambda seconds: rate(turn, seconds, clock)


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
        for token in tokens:  # Who remembers tokens has seen them all when the first round begins.
            verify(token)
        peers.append(
            Peer(name, distribution, on_threads(rate_of(verify, tokens, clock_of(threads)), threads))
        )
    return peers


def at_first_sight(issuer: material.Issuer, tokens: list[str], threads: int = 1) -> Peer:
    """gatepass, when it has seen none of the tokens: each turn has a new verifier, made before its time
    begins. Each thread has its own."""
    form, clock = form_of(issuer), clock_of(threads)

    def measure(seconds: float) -> float:
        done, took = 0, 0.0
        while took < seconds:
            verify = verifying.gatepass(form)
            begun = clock()
            for token in tokens:
                verify(token)
            took += clock() - begun
            done += len(tokens)
        return done / took

    return Peer("gatepass, every token new", "gatepass", on_threads(measure, threads))


def signature_alone(issuer: material.Issuer, tokens: list[str], threads: int = 1) -> Peer:
    """The least that a library on OpenSSL takes: one check of a signature, and nothing around it."""
    key, checks = issuer.key.public_key(), [issuer.signature_check(token) for token in tokens]

    def turn() -> int:
        for check in checks:
            key.verify(*check)
        return len(checks)

    clock = clock_of(threads)
    alone = on_threads(lambda seconds: rate(turn, seconds, clock), threads)
    return Peer("raw cryptography", "cryptography", alone)


def on_threads(measure: Rate, threads: int) -> Rate:
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


def repeated(issuer: material.Issuer) -> list[str]:
    """One token as a service gets it: a new object with each request."""
    data = issuer.token().encode()
    return [data.decode() for _ in range(1_000)]


@contextmanager
def repeated_token() -> Iterator[list[Peer]]:
    issuer = material.google()
    tokens = repeated(issuer)
    yield [*verifiers(issuer, tokens), signature_alone(issuer, tokens), empty_call()]


@contextmanager
def distinct_tokens() -> Iterator[list[Peer]]:
    issuer = material.google()
    tokens = distinct(issuer)
    yield [*verifiers(issuer, tokens), at_first_sight(issuer, tokens), signature_alone(issuer, tokens)]


@contextmanager
def distinct_es256() -> Iterator[list[Peer]]:
    issuer = material.iap()
    tokens = distinct(issuer)
    yield [*verifiers(issuer, tokens), at_first_sight(issuer, tokens), signature_alone(issuer, tokens)]


@contextmanager
def repeated_on_threads() -> Iterator[list[Peer]]:
    issuer = material.google()
    yield verifiers(issuer, repeated(issuer), THREADS)


@contextmanager
def distinct_on_threads() -> Iterator[list[Peer]]:
    issuer = material.google()
    tokens = distinct(issuer)
    new = at_first_sight(issuer, tokens, THREADS)
    yield [*verifiers(issuer, tokens, THREADS), new, signature_alone(issuer, tokens, THREADS)]


def grown(entries: int) -> Callable[[], AbstractContextManager[list[Peer]]]:
    """A verifier that remembers so many tokens, at a thousand of them, or at all if they are fewer."""

    @contextmanager
    def peers() -> Iterator[list[Peer]]:
        issuer = material.iap()
        verify = verifying.gatepass(form_of(issuer))
        step, tokens = max(entries // 1_000, 1), []
        for number in range(entries):
            token = issuer.token(number)
            verify(token)
            if number % step == 0:
                tokens.append(token)
        yield [Peer("gatepass", "gatepass", rate_of(verify, tokens))]

    return peers


@contextmanager
def bytes_of_tokens() -> Iterator[list[Peer]]:
    """Resident memory of a process per token that it remembers, and what of it is the token's claims: once as
    they were signed, once as the objects that Python makes of them."""
    import gatepass

    issuer = material.iap()
    tokens = [issuer.token(number) for number in range(GROWN + 100)]
    form = marshal.dumps({**form_of(issuer), "tokens": tokens})
    verify = gatepass.Verifier(issuer.audience, preset="iap", keys=issuer.jwks).verify
    objects = sum(size_of(verify(token)) for token in tokens[:100]) / 100
    payloads = sum(len(token.split(".")[1]) * 3 // 4 for token in tokens) / len(tokens)
    yield [
        Peer("gatepass", "gatepass", lambda _: float(output_of(form, "grow"))),
        Peer("claims, as JSON", "", lambda _: payloads),
        Peer("claims, as objects", "", lambda _: objects),
    ]


def size_of(claims: Any) -> int:
    """Octets of the objects that claims are made of. Their names are shared by all tokens."""
    if isinstance(claims, dict):
        return sys.getsizeof(claims) + sum(size_of(claim) for claim in claims.values())
    if isinstance(claims, list):
        return sys.getsizeof(claims) + sum(size_of(claim) for claim in claims)
    return 0 if claims is None or isinstance(claims, bool) else sys.getsizeof(claims)


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
def unary_calls() -> Iterator[list[Peer]]:
    """The µs of processor time that a call takes in the process of the client, and in that of the server."""
    issuer = material.google()
    key, certificate = calling.identity()
    service = process("grpc")
    assert service.stdin and service.stdout
    service.stdin.write(marshal.dumps({**form_of(issuer), "key": key, "certificate": certificate}))
    service.stdin.flush()
    ports = ast.literal_eval(service.stdout.readline().decode())

    def used() -> tuple[float, float]:
        assert service.stdin and service.stdout
        service.stdin.write(b"\n")
        service.stdin.flush()
        return time.process_time() * 1e6, float(service.stdout.readline())

    def cost_of(call: calling.Call) -> Measure:
        def measure(_: float) -> Sequence[float]:
            before = used()
            for _ in range(CALLS):
                call()
            return [(now - then) / CALLS for now, then in zip(used(), before, strict=True)]

        measure(0)  # The first calls find much that is not there yet.
        return measure

    with metadata_server() as server, calling.calls(server.address, certificate, ports) as calls:
        yield [Peer(name, of, cost_of(call)) for name, (of, call) in calls.items()]
    service.communicate(timeout=PATIENCE)


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


def process(*arguments: str) -> subprocess.Popen[bytes]:
    program = str(Path(__file__).with_name("process.py"))
    return subprocess.Popen(
        [sys.executable, program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def output_of(form: bytes, *arguments: str) -> bytes:
    done = process(*arguments)
    output = done.communicate(form, PATIENCE)[0]
    assert done.returncode == 0
    return output


@contextmanager
def fresh_processes() -> Iterator[list[Peer]]:
    """A process from its start to its end, with one verification in between, and the memory that it took."""
    # As installed modules are.
    py_compile.compile(str(Path(__file__).with_name("verifying.py")), doraise=True)
    form = marshal.dumps(form_of(material.google()))

    def cold(peer: str) -> Sequence[float]:
        begun = time.perf_counter()
        megabytes = float(output_of(form, "cold", peer))
        return (time.perf_counter() - begun) * 1000, megabytes

    names = {"empty process": "", **{name: of for name, (of, _) in verifying.PEERS.items()}}
    yield [Peer(name, of, lambda _, name=name: cold(name)) for name, of in names.items()]


@contextmanager
def hello_services() -> Iterator[list[Peer]]:
    """Services that check the same token with each request, and one of each framework that does not."""
    form = form_of(material.google())
    services, peers = [], []
    for framework in ("flask", "fastapi"):
        unchecked = None
        for name, of in (("bare", framework), ("gatepass", "gatepass"), ("google-auth", "google-auth")):
            service = Service(framework, name, form)
            services.append(service)
            unchecked = unchecked or service
            peers.append(Peer(f"{framework}, {name}", of, beside(unchecked, service)))
    for service in services:  # The first requests find much that is not there yet.
        service.answer(Load())
    yield peers
    for service in services:
        service.close()


def beside(unchecked: Service, service: Service) -> Measure:
    """How many requests there are in a second, the ms within which 99 of 100 are answered, and the µs of
    processor time that the check adds to one. The two services take turns many times in a round: what else
    the machine does changes them more than a check may."""

    def measure(_: float) -> Sequence[float]:
        without, with_check = Load(), Load()
        for _ in range(SHIFTS):
            if service is not unchecked:
                unchecked.answer(without)
            service.answer(with_check)
        figures = [with_check.rate(), with_check.p99() * 1000]
        return figures if service is unchecked else [*figures, with_check.cpu_of_one() - without.cpu_of_one()]

    return measure


class Load:
    """What requests have taken: the service's processor time in µs, and each request's time in seconds."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self.times: list[float] = []

    def cpu_of_one(self) -> float:
        return self.cpu / len(self.times)

    def rate(self) -> float:
        return len(self.times) / sum(self.times)

    def p99(self) -> float:
        return sorted(self.times)[len(self.times) * 99 // 100]


class Service:
    """A hello service in a process of its own, and one connection to it."""

    def __init__(self, framework: str, peer: str, form: dict[str, Any]) -> None:
        self._process = process("hello", framework, peer)
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(marshal.dumps(form))
        self._process.stdin.flush()
        port = int(self._process.stdout.readline().split()[1])
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Authorization": f"Bearer {form['token']}"}

    def answer(self, load: Load) -> None:
        """Sends as many requests as there are in a shift, one after the other."""
        before = self._used()
        for _ in range(REQUESTS):
            asked = time.perf_counter()
            self._connection.request("GET", "/", headers=self._headers)
            response = self._connection.getresponse()
            assert (response.status, response.read()) == (200, b"hello")
            load.times.append(time.perf_counter() - asked)
        load.cpu += self._used() - before

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)

    def _used(self) -> float:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


JOBS = [
    Job({"V1": "op/s"}, repeated_token),
    Job({"V2": "op/s"}, distinct_tokens),
    Job({"V3": "op/s"}, distinct_es256),
    Job({"V4-repeated": "op/s"}, repeated_on_threads),
    Job({"V4-distinct": "op/s"}, distinct_on_threads),
    Job({"S": "op/s"}, signed_assertions),
    Job({"H": "op/s"}, warm_header),
    Job({"M-start": "ms", "M-rss": "MB"}, fresh_processes, FEW_ROUNDS),
    Job({"R-client": "us", "R-server": "us"}, unary_calls, short_rounds=SHORT_ROUNDS),
    Job({"W-rate": "op/s", "W-p99": "ms", "W": "us"}, hello_services, FEW_ROUNDS),
    Job({"G-10": "op/s"}, grown(10)),
    Job({"G-1000": "op/s"}, grown(1_000)),
    Job({"G-100000": "op/s"}, grown(100_000)),
    Job({"G-bytes": "B"}, bytes_of_tokens, FEW_ROUNDS),
    Job({"F": "requests"}, cold_callers, FEW_ROUNDS),
]


if __name__ == "__main__":
    main()
