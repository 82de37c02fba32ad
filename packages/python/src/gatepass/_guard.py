"""What the middlewares have in common."""

from __future__ import annotations

import logging

from gatepass import _native
from gatepass._arguments import check, texts, wrong
from gatepass.errors import GatepassError
from gatepass.verifier import Verifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from gatepass._types import Strings
    from gatepass.errors import Refusal

    OnRefusal: TypeAlias = Callable[[GatepassError, str], None]

logger = logging.getLogger("gatepass")


class Guard:
    """Which requests pass without a token, and what is noted of those that do not pass."""

    def __init__(
        self, verifier: Verifier, optional: bool, open_paths: Strings, on_refusal: OnRefusal | None
    ) -> None:
        arguments = {"verifier": verifier, "optional": optional}
        check(arguments, verifier=Verifier, optional=bool)
        if on_refusal is not None and not callable(on_refusal):
            raise wrong("on_refusal", on_refusal, "a function")
        if _is_coroutine_function(on_refusal):  # Nobody would await what it gives: nothing would be noted.
            raise TypeError("on_refusal is a coroutine function, expected a plain one")
        self.verifier = verifier
        self._optional = optional
        self._open_paths = frozenset(texts("open_paths", open_paths))
        self._on_refusal = on_refusal

    def leaves_open(self, path: str) -> bool:
        """Whether this path needs no token."""
        return path in self._open_paths

    def goes_without(self, error: GatepassError) -> bool:
        """Whether the request passes although there is no token. A bad one never does."""
        return self._optional and error.code == "TOKEN_MISSING"

    def refuse(self, error: GatepassError, path: str) -> Refusal:
        """Notes the refusal; gives the answer. Whatever the user's function does, the request is refused."""
        try:
            if self._on_refusal is not None:
                self._on_refusal(error, path)
            else:
                fields = {"code": error.code, "message": str(error), "claimed_email": error.claimed_email}
                line = _native.refusal_log(fields, path)
                logger.log(_LEVELS[line["level"]], "%s", line["message"])
        except Exception as raised:
            logger.error("on_refusal has raised %s", type(raised).__name__)
        return error.refusal


def _is_coroutine_function(function: object) -> bool:
    from inspect import iscoroutinefunction

    return iscoroutinefunction(function) or iscoroutinefunction(vars(type(function)).get("__call__"))


_LEVELS = {"warning": logging.WARNING, "error": logging.ERROR}


def is_preflight(method: str, origin: object, request_method: object) -> bool:
    """Whether a browser asks what it may send (Fetch standard, CORS-preflight request): by the method and the
    headers `Origin` and `Access-Control-Request-Method`. It sends no token."""
    return method == "OPTIONS" and origin is not None and request_method is not None
