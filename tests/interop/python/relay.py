"""Google's own hosts, for a library that asks no others: a proxy behind which the emulator stands."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support import PATIENCE

# The hosts whose part the emulator plays. Any other answers as if the caller might do nothing there.
PLAYED = {"iamcredentials.googleapis.com", "oauth2.googleapis.com"}
FORBIDDEN = b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}'


class Relay:
    """A proxy that ends TLS itself, and hands what is asked of Google's hosts to the emulator."""

    def __init__(self, emulator_url: str, tls: ssl.SSLContext) -> None:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE

            def do_CONNECT(self) -> None:
                self.host = self.path.partition(":")[0]
                self.send_response_only(200)
                self.end_headers()
                self.connection = tls.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
                self.close_connection = False

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, data = self.ask_emulator(body) if self.host in PLAYED else (403, FORBIDDEN)
                self.send_response_only(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def ask_emulator(self, body: bytes) -> tuple[int, bytes]:
                names = ("Authorization", "Content-Type")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                request = urllib.request.Request(
                    emulator_url + self.path, body or None, headers, method=self.command
                )
                try:
                    with direct.open(request, timeout=PATIENCE) as answer:
                        return answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    with error:
                        return error.code, error.read()

            do_GET = do_POST = answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
