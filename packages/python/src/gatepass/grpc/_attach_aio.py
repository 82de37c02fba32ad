"""Interceptors of a channel of `grpc.aio`: they attach the token, and act on its refusal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc.aio

from gatepass.grpc._carriers import end_of, is_refused, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatepass.grpc._carriers import ByCredentials, ByMetadata


def attach_aio(carrier: ByMetadata | ByCredentials) -> list[grpc.aio.ClientInterceptor]:
    """One for each kind of call: grpc.aio files an interceptor under the first that it finds."""
    return [kind(carrier) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)]


class _Attach:
    def __init__(self, carrier: ByMetadata | ByCredentials) -> None:
        self._carrier = carrier
        self._notes: set[asyncio.Task[None]] = set()

    async def _unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        end = end_of(details.timeout)
        sent, header = await self._load(details, details.timeout)
        call = await continuation(sent, request)
        try:
            code = await call.code()
        except asyncio.CancelledError:
            call.cancel()
            raise
        if is_refused(code) and self._carrier.another_token(details.method, header):
            again, _ = await self._load(details, until(end))
            return await continuation(again, request)
        return call

    async def _stream(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        sent, header = await self._load(details, details.timeout)
        call = await continuation(sent, request)

        def ended(_: object) -> None:
            note = asyncio.ensure_future(self._note(call, details.method, header))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)

        call.add_done_callback(ended)
        return call

    async def _load(self, details: Any, timeout: float | None) -> tuple[Any, str | None]:
        """The call with its token or with credentials, and the header that bears the token."""
        timeout, metadata, credentials, header = await self._carrier.load_async(
            details.method, timeout, details.metadata, details.credentials, details.wait_for_ready
        )
        return details._replace(timeout=timeout, metadata=metadata, credentials=credentials), header

    async def _note(self, call: Any, method: str | bytes, header: str | None) -> None:
        if is_refused(await call.code()):
            self._carrier.another_token(method, header)


class _UnaryUnary(_Attach, grpc.aio.UnaryUnaryClientInterceptor):
    intercept_unary_unary = _Attach._unary  # type: ignore[assignment]


class _UnaryStream(_Attach, grpc.aio.UnaryStreamClientInterceptor):
    intercept_unary_stream = _Attach._stream  # type: ignore[assignment]


class _StreamUnary(_Attach, grpc.aio.StreamUnaryClientInterceptor):
    intercept_stream_unary = _Attach._stream  # type: ignore[assignment]


class _StreamStream(_Attach, grpc.aio.StreamStreamClientInterceptor):
    intercept_stream_stream = _Attach._stream  # type: ignore[assignment]
