"""Channels of `grpc` whose calls get their token here, on the caller's own thread.

They are no interceptors, whose way through `grpc.intercept_channel` costs more than a token does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from gatepass.grpc._carriers import end_of, is_refused, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatepass.grpc._carriers import ByCredentials, ByMetadata


class TokenChannel(grpc.Channel):
    """Another channel, whose calls carry a token."""

    def __init__(self, channel: grpc.Channel, carrier: ByMetadata | ByCredentials) -> None:
        self._channel = channel
        self._carrier = carrier

    def subscribe(self, callback: Callable[[Any], None], try_to_connect: bool = False) -> None:
        self._channel.subscribe(callback, try_to_connect=try_to_connect)

    def unsubscribe(self, callback: Callable[[Any], None]) -> None:
        self._channel.unsubscribe(callback)

    # Arguments are handed on as they come: they are not the same in all versions of grpc.
    def unary_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _UnaryUnary(self._channel.unary_unary(method, *arguments, **options), method, self._carrier)

    def unary_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _ToStream(self._channel.unary_stream(method, *arguments, **options), method, self._carrier)

    def stream_unary(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _ToOne(self._channel.stream_unary(method, *arguments, **options), method, self._carrier)

    def stream_stream(self, method: str, *arguments: Any, **options: Any) -> Any:
        return _ToStream(self._channel.stream_stream(method, *arguments, **options), method, self._carrier)

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> TokenChannel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Method:
    """A method of the other channel."""

    # Whether what is sent is gone once it was.
    _is_stream = True

    def __init__(self, method: Any, name: str, carrier: ByMetadata | ByCredentials) -> None:
        self._method = method
        self._name = name
        self._carrier = carrier

    def _start(
        self,
        invoke: Callable[..., Any],
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Begins a call for whose end nobody waits here. If it is refused, the next one gets another
        token."""
        sent = self._carrier.load(self._name, timeout, metadata, credentials, wait_for_ready)
        timeout, metadata, credentials, header = sent
        call = invoke(request, timeout, metadata, credentials, wait_for_ready, compression)

        def ended(_: object = None) -> None:
            if is_refused(call.code()):
                self._carrier.another_token(self._name, header)

        # What has ended already takes this one only.
        if hasattr(call, "add_done_callback"):
            call.add_done_callback(ended)
        else:
            call.add_callback(ended)
        return call

    def _call(
        self,
        invoke: Callable[..., Any],
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> Any:
        """Makes a call, and waits for its end. If it is refused, it is made once more with another token, if
        there is one and its request is still there."""
        end = end_of(timeout)
        load = self._carrier.load
        sent = load(self._name, timeout, metadata, credentials, wait_for_ready)
        try:
            return invoke(request, sent[0], sent[1], sent[2], wait_for_ready, compression)
        except grpc.RpcError as error:
            another = is_refused(code_of(error)) and self._carrier.another_token(self._name, sent[3])
            if not another or self._is_stream:
                raise
        sent = load(self._name, until(end), metadata, credentials, wait_for_ready)
        return invoke(request, sent[0], sent[1], sent[2], wait_for_ready, compression)


class _ToOne(_Method):
    def __call__(self, request: Any, *arguments: Any, **options: Any) -> Any:
        return self._call(self._method, request, *arguments, **options)

    def with_call(self, request: Any, *arguments: Any, **options: Any) -> Any:
        return self._call(self._method.with_call, request, *arguments, **options)

    def future(self, request: Any, *arguments: Any, **options: Any) -> Any:
        return self._start(self._method.future, request, *arguments, **options)


class _ToStream(_Method):
    def __call__(self, request: Any, *arguments: Any, **options: Any) -> Any:
        return self._start(self._method, request, *arguments, **options)


class _UnaryUnary(_ToOne):
    _is_stream = False


for one, base in (
    (_UnaryUnary, grpc.UnaryUnaryMultiCallable),
    (_ToOne, grpc.StreamUnaryMultiCallable),
    (_ToStream, grpc.UnaryStreamMultiCallable),
    (_ToStream, grpc.StreamStreamMultiCallable),
):
    base.register(one)


def code_of(error: grpc.RpcError) -> grpc.StatusCode | None:
    """The status that a call has ended with."""
    return error.code() if isinstance(error, grpc.Call) else None
