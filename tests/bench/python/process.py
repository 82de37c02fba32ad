"""What runs in a process of its own. One argument says what; standard input brings the issuer, as JSON.

cold PEER    imports a library, verifies one token, prints the memory that it took at most, in MB (on Linux)
hello PEER   serves "hello" behind a check of the token, prints `listening PORT`; each further line of
             standard input is answered with the processor time that was used so far, in µs
"""

from __future__ import annotations

import sys

# What a library does not need is not imported here: it would not show in its start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def material() -> dict[str, Any]:
    import json

    read: dict[str, Any] = json.loads(sys.stdin.readline())
    return read


def cold(peer: str) -> None:
    if peer != "empty process":
        import verifying

        issuer = material()
        verifying.PEERS[peer][1](issuer)(issuer["token"])
    # Not getrusage, which remembers what the parent took as well.
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM:"))
    print(int(peak.split()[1]) / 1024)


def hello(peer: str) -> None:
    import logging
    import threading
    import time

    import flask
    import verifying
    from werkzeug.serving import WSGIRequestHandler, make_server

    issuer = material()
    app = flask.Flask("hello")
    if peer == "gatepass":
        import gatepass
        import gatepass.flask

        verifier = gatepass.Verifier(issuer["audience"], keys=issuer["jwks"])
        app.before_request(gatepass.flask.RequireIdToken(verifier).check)
    elif peer != "no check":
        verify = verifying.PEERS[peer][1](issuer)

        @app.before_request
        def check() -> tuple[str, int] | None:
            try:
                flask.g.claims = verify(flask.request.headers["Authorization"].removeprefix("Bearer "))
            except Exception:
                return "refused", 401
            return None

    @app.get("/")
    def view() -> str:
        return "hello"

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", 0, app)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", server.server_port, flush=True)
    for _ in sys.stdin:
        print(time.process_time_ns() / 1000, flush=True)


if __name__ == "__main__":
    {"cold": cold, "hello": hello}[sys.argv[1]](sys.argv[2])
