"""Answers calls that carry an ID token with the caller's e-mail. Configured by the environment:

PORT (without it, or 0, a free one), AUDIENCE, KEYS_URL, ALLOWED_EMAILS (optional, separated by commas).
Prints `listening <port>` and ends when standard input closes.
"""

from __future__ import annotations

import logging
import os
import sys
import threading

import flask
from werkzeug.serving import WSGIRequestHandler, make_server

import gatepass
import gatepass.flask


def application() -> flask.Flask:
    allowed = os.environ.get("ALLOWED_EMAILS")
    verifier = gatepass.Verifier(
        os.environ["AUDIENCE"],
        keys_url=os.environ["KEYS_URL"],
        allowed_emails=allowed.split(",") if allowed else None,
    )
    app = flask.Flask("receiver")
    app.before_request(gatepass.flask.RequireIdToken(verifier).check)

    @app.get("/")
    def caller() -> dict[str, str]:
        return {"email": flask.g.claims["email"]}

    return app


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), application(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
