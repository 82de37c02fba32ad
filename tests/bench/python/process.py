"""What runs in a process of its own. One argument says what; standard input brings the issuer.

cold PEER             imports a library, verifies one token, prints the memory that it took at most, in MB
hello FRAMEWORK PEER  serves "hello" behind a check of the token, prints `listening PORT`; each further line
                      of standard input is answered with the processor time that was used so far, in µs
grpc                  serves an empty method of gRPC in each way of `grpc_service`, prints their ports, and then as hello
grow                  prints how much memory each token that is remembered takes, in bytes

Memory is read as Linux tells it.
"""

from __future__ import annotations

# In place of json, which a program that verifies may do without: importing it takes longer than gatepass.
import marshal
import sys

# What a library does not need is not imported here: it would not show in its start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any


def material() -> dict[str, Any]:
    read: dict[str, Any] = marshal.load(sys.stdin.buffer)
    return read


def cold(peer: str) -> None:
    if peer != "empty process":
        import verifying

        issuer = material()
        verifying.PEERS[peer][1](issuer)(issuer["token"])
    # Not getrusage, which remembers what the parent took as well.
    print(megabytes("VmHWM:"))


def megabytes(name: str) -> float:
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(name))
    return int(line.split()[1]) / 1024


def hello(framework: str, peer: str) -> None:
    import socket
    import threading

    serve = {"flask": flask_service, "fastapi": fastapi_service}[framework]
    # The protocol is named because asyncio sends at once only where it is; else each answer, which is sent in
    # two parts, waits until the first one is acknowledged.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    threading.Thread(target=serve, args=(peer, material(), listening), daemon=True).start()
    print("listening", listening.getsockname()[1], flush=True)
    tell_time_used()


def tell_time_used() -> None:
    import time

    for _ in sys.stdin:
        print(time.process_time_ns() / 1000, flush=True)


def grpc_service() -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    import gatepass
    import gatepass.grpc

    form = material()

    class Empty(grpc.ServerInterceptor):
        def intercept_service(self, continuation: Any, details: Any) -> Any:
            return continuation(details)

    checking = gatepass.grpc.RequireIdToken(gatepass.Verifier(form["audience"], keys=form["jwks"]))
    ways: dict[str, list[grpc.ServerInterceptor]] = {
        "bare": [],
        "empty interceptor": [Empty()],
        "gatepass": [checking],
    }
    ports, servers = {}, []
    for name, interceptors in ways.items():
        server = grpc.server(ThreadPoolExecutor(1), interceptors=interceptors)
        empty = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("bench.Empty", {"Call": empty})]
        )
        identity = grpc.ssl_server_credentials([(form["key"], form["certificate"])])
        ports[name] = server.add_secure_port("127.0.0.1:0", identity)
        server.start()
        servers.append(server)
    print(ports, flush=True)
    tell_time_used()
    for server in servers:
        server.stop(None).wait()


def flask_service(peer: str, issuer: dict[str, Any], listening: socket.socket) -> None:
    import logging

    import flask
    import verifying
    from werkzeug.serving import WSGIRequestHandler, make_server

    app = flask.Flask("hello")
    if peer == "gatepass":
        import gatepass
        import gatepass.flask

        verifier = gatepass.Verifier(issuer["audience"], keys=issuer["jwks"])
        app.before_request(gatepass.flask.RequireIdToken(verifier).check)
    elif peer != "bare":
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
    make_server("127.0.0.1", 0, app, threaded=True, fd=listening.fileno()).serve_forever()


def fastapi_service(peer: str, issuer: dict[str, Any], listening: socket.socket) -> None:
    import fastapi
    import uvicorn
    import verifying
    from fastapi.responses import PlainTextResponse

    app = fastapi.FastAPI()
    if peer == "gatepass":
        import gatepass
        import gatepass.asgi

        verifier = gatepass.Verifier(issuer["audience"], keys=issuer["jwks"])
        app.add_middleware(gatepass.asgi.RequireIdToken, verifier=verifier)
    elif peer != "bare":
        verify = verifying.PEERS[peer][1](issuer)

        class Check:
            """A middleware of the same shape."""

            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                if scope["type"] == "http":
                    try:
                        header = dict(scope["headers"])[b"authorization"].decode()
                        scope["state"]["claims"] = verify(header.removeprefix("Bearer "))
                    except Exception:
                        return await PlainTextResponse("refused", 401)(scope, receive, send)
                await self.app(scope, receive, send)

        app.add_middleware(Check)

    @app.get("/", response_class=PlainTextResponse)
    async def view() -> str:
        return "hello"

    config = uvicorn.Config(app, log_level="error", access_log=False, timeout_keep_alive=600)
    uvicorn.Server(config).run([listening])


def grow() -> None:
    import gatepass

    grown = material()
    verify = gatepass.Verifier(grown["audience"], preset="iap", keys=grown["jwks"]).verify
    warm_up, tokens = grown["tokens"][:100], grown["tokens"][100:]
    for token in warm_up:
        verify(token)
    before = megabytes("VmRSS:")
    for token in tokens:
        verify(token)
    print((megabytes("VmRSS:") - before) * 1024 * 1024 / len(tokens))


if __name__ == "__main__":
    {"cold": cold, "hello": hello, "grpc": grpc_service, "grow": grow}[sys.argv[1]](*sys.argv[2:])
