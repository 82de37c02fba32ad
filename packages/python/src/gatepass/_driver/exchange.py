"""Sends one request, and reads the answer, in one time limit that closes the connection."""

from __future__ import annotations

import base64
import io
import socket
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from urllib.parse import SplitResult, unquote, urlsplit

from gatepass._driver.limit import Limit
from gatepass._driver.replies import BYTES, failed, text
from gatepass._driver.threads import in_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import ReadableBuffer, WriteableBuffer

    from gatepass._types import Reply, Step


def send(step: Step) -> Reply:
    """Sends the request as it is: no redirect is followed, and any status is an answer."""
    url = urlsplit(step["url"])
    receiver, limit = _receiver(url), Limit(step["timeout_ms"])
    try:
        with Connection(limit) as connection:
            return _exchange(connection, url, step)
    except Unusable as error:
        return failed("other", str(error))
    except TimeoutError:
        return failed("timeout", f"{receiver}: no answer within {limit.timeout_ms} ms")
    except (OSError, HTTPException) as error:
        # That of ssl.SSLCertVerificationError; ssl itself is not imported for a request over http.
        if untrusted := getattr(error, "verify_message", ""):
            return failed("untrusted_certificate", f"{receiver}: {untrusted}")
        what = str(error) if isinstance(error, OSError) else type(error).__name__
        return failed("connect", f"{receiver}: {what}")


class Unusable(Exception):
    """What the step names cannot be used. The message says why."""


class Connection(io.RawIOBase):
    """A socket of which every call ends by the same moment, and which http.client can use."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._socket: socket.socket | None = None

    def open(self, host: str, port: int) -> None:
        """Connects to the first address that answers; each gets an equal part of the time."""
        addresses = self._addresses(host, port)
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            connecting = self._socket = socket.socket(family, kind, protocol)
            try:
                connecting.settimeout(self._limit.left() / (len(addresses) - number))
                return connecting.connect(address)
            except OSError:
                connecting.close()
                if number + 1 == len(addresses):
                    raise

    def _addresses(self, host: str, port: int) -> Sequence[tuple[int, int, int, str, tuple[object, ...]]]:
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            from concurrent.futures import wait

            # The one thing that cannot be interrupted, so that a thread is left to the resolver's own limit.
            found = in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            wait([found], self._limit.left())
            if not found.done():
                raise TimeoutError from None
            return found.result()

    def encrypt(self, step: Step, host: str) -> None:
        """Goes over to TLS."""
        from gatepass._driver import tls

        try:
            context = tls.context(step)
        except tls.UnusableFile as error:
            raise Unusable(str(error)) from None
        self._socket = context.wrap_socket(
            self._in_time(), server_hostname=host, do_handshake_on_connect=False
        )
        self._socket.do_handshake()

    def sendall(self, data: ReadableBuffer) -> None:
        self._in_time().sendall(data)

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._in_time().recv_into(buffer)

    def close(self) -> None:
        """http.client closes more often than an exchange ends: `__exit__` does it."""

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def _in_time(self) -> socket.socket:
        assert self._socket is not None
        self._socket.settimeout(self._limit.left())
        return self._socket


def _exchange(connection: Connection, url: SplitResult, step: Step) -> Reply:
    host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    proxy = _proxy(step)
    target = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
    headers = [*step["headers"]]
    if proxy is None:
        connection.open(host, port)
    else:
        connection.open(proxy.hostname or "", proxy.port or 80)
        if url.scheme == "https":
            _tunnel(connection, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        else:
            target = url._replace(fragment="").geturl()
            headers += _proxy_authorization(proxy)
    if url.scheme == "https":
        connection.encrypt(step, host)
    elif url.scheme != "http":
        raise Unusable(f"{url.scheme} is neither http nor https")
    answer = _ask(connection, step["method"], target, _receiver(url), headers, step["body"])
    body = answer.read(BYTES + 1)
    if len(body) > BYTES:
        return failed("too_large", f"{_receiver(url)}: an answer of over 1 MiB")
    if answer.length:
        raise IncompleteRead(b"")
    fields = [(name, str(value)) for name, value in answer.headers.items()]
    return {"reply": "response", "status": answer.status, "headers": fields, "body": text(body)}


def _receiver(url: SplitResult) -> str:
    """Host and port, and no password."""
    return url.netloc.rpartition("@")[2]


def _tunnel(connection: Connection, proxy: SplitResult, target: str) -> None:
    answer = _ask(connection, "CONNECT", target, target, _proxy_authorization(proxy), None)
    if answer.status != 200:
        raise ConnectionError(f"the proxy {proxy.hostname} answers {answer.status}")


def _ask(
    connection: Connection,
    method: str,
    target: str,
    host: str,
    headers: Sequence[tuple[str, str]],
    body: str | None,
) -> HTTPResponse:
    client = HTTPConnection("")
    client.sock = connection
    client.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    own = [("Host", host), ("Accept-Encoding", "identity"), ("Connection", "close")]
    for name, value in [*(own if method != "CONNECT" else own[:1]), *headers]:
        client.putheader(name, value)
    data = None if body is None else body.encode()
    if data is not None:
        client.putheader("Content-Length", str(len(data)))
    client.endheaders(data)
    return client.getresponse()


def _proxy(step: Step) -> SplitResult | None:
    """The proxy that the step names. The environment has no say here."""
    if step["proxy"] is None:
        return None
    proxy: SplitResult = urlsplit(step["proxy"]["url"])
    if proxy.scheme != "http":
        raise Unusable(f"a proxy by {proxy.scheme}:// is not supported; expected http://")
    return proxy


def _proxy_authorization(proxy: SplitResult) -> list[tuple[str, str]]:
    if proxy.username is None:
        return []
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return [("Proxy-Authorization", f"Basic {base64.b64encode(credentials).decode()}")]
