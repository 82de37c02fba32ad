"""An addon of mitmproxy's: writes a line for each request that it has seen inside of TLS, or plainly."""

from __future__ import annotations

import json
import os

from mitmproxy import http


def request(flow: http.HTTPFlow) -> None:
    line = {"port": flow.client_conn.sockname[1], "request": f"{flow.request.method} {flow.request.url}"}
    with open(os.environ["RECORD"], "a") as file:
        file.write(json.dumps(line) + "\n")
