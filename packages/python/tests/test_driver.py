"""Steps carried out, one by one."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import gatepass
from gatepass._driver import exchange, files, replies
from gatepass._driver import steps as driver
from gatepass._types import Reply, Step
from steps import perform, send
from support import PATIENCE, Answer, Gate, Server, until


def test_a_request_is_sent_as_it_stands() -> None:
    with Server(lambda request: Answer(status=418, body="caf\u00e9", headers={"X-A": "1"})) as server:
        headers = [["content-type", "a/b"], ["x-b", "2"]]
        reply = perform(send(f"{server.url}/a?b=c", method="POST", headers=headers, body="d=e"))
    assert (reply["reply"], reply["status"], reply["body"]) == ("response", 418, "caf\u00e9")
    assert ("X-A", "1") in reply["headers"]
    request = server.requests[0]
    assert (request.method, request.path, request.body) == ("POST", "/a?b=c", b"d=e")
    assert (request.headers["content-type"], request.headers["x-b"]) == ("a/b", "2")
    assert "user-agent" not in request.headers


def test_repeated_headers_are_repeated() -> None:
    answer = b"HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answer) as url:
        headers = perform(send(url))["headers"]
    assert [value for name, value in headers if name == "A"] == ["1", "2"]


def test_a_body_that_is_no_text_comes_with_replacements() -> None:
    with Server(lambda request: Answer(body=b"a\xff")) as server:
        assert perform(send(server.url))["body"] == "a\ufffd"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with Server(lambda request: Answer(status, headers={"Location": "/b"})) as server:
        assert perform(send(f"{server.url}/a"))["status"] == status
        assert [request.path for request in server.requests] == ["/a"]


@pytest.mark.parametrize(("size", "kind"), [(replies.BYTES, "response"), (replies.BYTES + 1, "too_large")])
def test_a_body_is_capped(size: int, kind: str) -> None:
    with Server(lambda request: Answer(body=b"a" * size)) as server:
        reply = perform(send(server.url))
    assert reply.get("kind", reply["reply"]) == kind


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"hush\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: 1\r\n" * 1000 + b"\r\n",
    ],
    ids=["nothing", "short", "short chunk", "no HTTP", "too many headers"],
)
def test_an_answer_that_breaks_off_or_is_none(answer: bytes) -> None:
    with raw_server(answer) as url:
        reply = perform(send(url))
    assert (reply["reply"], reply["kind"]) == ("failed", "connect")
    assert "hush" not in str(reply)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    reply = perform(send(f"http://127.0.0.1:{port}/a?key=hush"))
    assert (reply["kind"], "hush" in reply["message"]) == ("connect", False)
    assert "refused" in reply["message"].lower()


def test_tls_that_is_none() -> None:
    with Server(lambda request: Answer()) as server:
        reply = perform(send(server.url.replace("http:", "https:")))
    assert reply["kind"] == "connect"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nA: ",
        b"HTTP/1.1 100 Continue\r\nA: ",
    ],
    ids=["nothing", "body", "101", "100"],
)
def test_the_time_limit_covers_the_whole_exchange(beginning: bytes) -> None:
    """The server sends a byte before each wait for one could end, and never a whole answer."""
    begun, stopped = threading.Event(), threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.send(beginning)
        begun.set()
        with suppress(OSError):
            while True:  # Until the client closes.
                connection.send(b"H")
                time.sleep(0.01)
        stopped.set()

    before = threading.active_count()
    with raw_server(drip) as url:
        assert perform(send(url, timeout_ms=200))["kind"] == "timeout"
        assert begun.is_set()
        assert stopped.wait(PATIENCE), "the connection is closed"
        assert threading.active_count() <= before + 1, "no thread but the server's"


def test_the_time_limit_covers_the_look_up_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, real = Gate(), socket.getaddrinfo

    def held(*arguments: Any, flags: int = 0, **options: Any) -> Any:
        if not flags:
            gate.hold()
        return real(*arguments, flags=flags, **options)

    monkeypatch.setattr(exchange.socket, "getaddrinfo", held)
    assert perform(send("http://receiver.example/", timeout_ms=50))["kind"] == "timeout"
    gate.open()


def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = closed.getsockname()

    def two(host: str, port: int, **options: Any) -> Any:
        (found,) = real("127.0.0.1", port, **options)
        return [(*found[:4], refusing), found]

    monkeypatch.setattr(exchange.socket, "getaddrinfo", two)
    with Server(lambda request: Answer(body="here")) as server:
        assert perform(send(server.url))["body"] == "here"


def through(proxy: str) -> dict[str, Any]:
    return {"proxy": {"url": proxy}}


def test_a_proxy_is_told_who_asks() -> None:
    with Server(lambda request: Answer()) as proxy:
        perform(send("http://receiver.example/a?b=c", **through(f"http://us%40er:pa%3Ass@{proxy.address}")))
    request = proxy.requests[0]
    assert (request.path, request.headers["host"]) == ("http://receiver.example/a?b=c", "receiver.example")
    assert request.headers["proxy-authorization"] == "Basic dXNAZXI6cGE6c3M="


def test_a_proxy_of_another_kind_is_named() -> None:
    reply = perform(send("http://receiver.example/", **through("socks5://user:hush@127.0.0.1:1")))
    assert ("socks5://" in reply["message"], "hush" in reply["message"]) == (True, False)


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_step_says_which_proxy_and_the_environment_does_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Server(lambda request: Answer(body="proxy")) as proxy,
        Server(lambda request: Answer(body="server")) as server,
    ):
        monkeypatch.setenv(name, proxy.url)
        assert perform(send(f"{server.url}/a"))["body"] == "server"
        monkeypatch.setenv("no_proxy", "*")
        assert perform(send(f"{server.url}/a", **through(proxy.url)))["body"] == "proxy"
        assert [request.path for request in proxy.requests] == [f"{server.url}/a"]


def test_a_proxy_that_refuses_is_named() -> None:
    with Server(lambda request: Answer(status=407)) as proxy:
        reply = perform(send("https://receiver.example/", **through(proxy.url)))
    assert (reply["kind"], "407" in reply["message"]) == ("connect", True)
    assert proxy.requests[0].path == "receiver.example:443"


def test_a_step_that_this_package_does_not_know() -> None:
    assert perform({"step": "unknown"})["kind"] == "unsupported"


@pytest.mark.parametrize(
    "url", ["http://", "http://[", "http://a b/", "http://\u2603\uff0e\uff0e/", "ftp://a/"]
)
def test_a_url_that_is_none(url: str) -> None:
    assert perform(send(url))["reply"] == "failed"


def test_variables_that_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEPASS_A", "1")
    monkeypatch.setenv("GATEPASS_B", "")
    monkeypatch.delenv("GATEPASS_C", raising=False)
    reply = perform({"step": "read_env", "names": ["GATEPASS_A", "GATEPASS_B", "GATEPASS_C"]})
    assert reply == {"reply": "env", "values": {"GATEPASS_A": "1", "GATEPASS_B": ""}}


def test_files(tmp_path: Path) -> None:
    def read(path: Path | str) -> str:
        reply = perform(read_file(path))
        return str(reply.get("text", reply.get("kind")))

    file = tmp_path / "a"
    file.write_bytes(b"a\xff")
    assert read(file) == "a\ufffd"
    assert read(tmp_path / "b") == "not_found"
    assert read(file / "b") == "not_found"
    assert read(tmp_path) == "other"
    assert read("a\0b") == "other"
    file.write_bytes(b"a" * replies.BYTES)
    assert len(read(file)) == replies.BYTES
    file.write_bytes(b"a" * (replies.BYTES + 1))
    assert read(file) == "too_large"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch(mode=0)
    assert perform(read_file(file))["kind"] == "permission_denied"


def read_file(path: Path | str, timeout_ms: int = 60_000) -> dict[str, Any]:
    return {"step": "read_file", "path": str(path), "timeout_ms": timeout_ms}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_read_to_its_end_and_not_for_ever(tmp_path: Path) -> None:
    """A shell's `<(…)` is one. Nobody writes to the second, and its thread ends with the limit."""
    os.mkfifo(tmp_path / "a")
    writer = threading.Thread(target=(tmp_path / "a").write_text, args=("a" * 200_000,))
    writer.start()
    assert perform(read_file(tmp_path / "a"))["text"] == "a" * 200_000
    writer.join(PATIENCE)

    os.mkfifo(tmp_path / "b")
    before = threading.active_count()
    assert perform(read_file(tmp_path / "b", timeout_ms=50))["kind"] == "timeout"
    until(lambda: threading.active_count() <= before)


def test_a_file_that_no_system_call_returns_from_does_not_hold_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    monkeypatch.setattr(files, "_read", lambda path, limit: gate.hold())
    assert perform(read_file("a", timeout_ms=50))["kind"] == "timeout"
    gate.open()


def test_an_operation_that_does_not_end_is_given_up() -> None:
    class Endless:
        def resume(self, now_ms: float, monotonic_ms: float, reply: Reply) -> Step:
            return {"step": "read_env", "names": []}

    with pytest.raises(gatepass.GatepassError, match="did not end"):
        driver.drive(Endless(), lambda: (0, 0), {})  # type: ignore[arg-type]


def test_a_wait_lasts_as_long_as_the_step_says(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(driver.time, "sleep", slept.append)
    for delay_ms in (20, 0):
        assert driver.perform({"step": "wait", "delay_ms": delay_ms}) == {"reply": "elapsed"}
    assert slept == [0.02, 0]


class raw_server:
    """Sends these bytes, or does this, to whoever connects, and closes the connection."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE)
        self._server.close()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            connection.settimeout(PATIENCE)
            connection.recv(65536)
            if callable(self._answer):
                self._answer(connection)
            else:
                connection.sendall(self._answer)
