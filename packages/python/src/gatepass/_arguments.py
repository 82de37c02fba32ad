"""Arguments of the wrong type: a TypeError that names the argument, as Python's own functions raise."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepass._types import Strings


def text(name: str, value: Any) -> str:
    """A string."""
    if isinstance(value, str):
        return value
    raise wrong(name, value, "str")


def binary(name: str, value: Any) -> bytes:
    """Bytes."""
    if isinstance(value, bytes):
        return value
    raise wrong(name, value, "bytes")


def texts(name: str, value: Strings | None) -> list[str]:
    """A string or several; a single one is one item, not its letters."""
    if value is None or isinstance(value, str):
        return [] if value is None else [value]
    try:
        # Of bytes the items are numbers, which nobody has given.
        items = list(value) if not isinstance(value, (bytes, bytearray)) else None
    except TypeError:
        items = None
    if items is None:
        raise wrong(name, value, "str or an iterable of str")
    for item in items:
        if not isinstance(item, str):
            raise wrong(f"an item of {name}", item, "str")
    return items


def check(arguments: dict[str, Any], **expected: type) -> None:
    """Checks those of these arguments that are given."""
    for name, kind in expected.items():
        value = arguments.get(name)
        # A bool is an int only by the letter of Python's type system.
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise wrong(name, value, kind.__name__)


def function(name: str, value: Any) -> None:
    """Checks that it can be called."""
    if not callable(value):
        raise wrong(name, value, "a function")


def wrong(name: str, value: object, expected: str) -> TypeError:
    """The error, which never shows the value: it may be a secret in the wrong place."""
    hint = ": is an await missing?" if hasattr(value, "__await__") else ""
    return TypeError(f"{name} is {type(value).__name__}, expected {expected}{hint}")
