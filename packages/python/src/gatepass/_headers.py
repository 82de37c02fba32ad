"""The headers of a request, in whatever form they come."""

from __future__ import annotations

from gatepass import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from gatepass._types import Headers

# In the order in which the native module takes their values.
NAMES: list[str] = _native.token_headers()


def token_headers(headers: Headers) -> list[str | None]:
    """All values of each header that may carry a token, one a line; None where there is none.

    Raises:
        TypeError: These are no headers.
    """
    found: dict[str, list[str]] = {}
    for name, value in _pairs(headers):
        name = name.lower() if isinstance(name, str) else _text(name).lower()
        if name in NAMES:
            values = value if isinstance(value, (list, tuple)) else [value]
            found.setdefault(name, []).extend(_text(value) for value in values if value is not None)
    return ["\n".join(found[name]) if found.get(name) else None for name in NAMES]


def _pairs(headers: Headers) -> Iterable[tuple[Any, Any]]:
    if isinstance(headers, (str, bytes)):
        raise _no_headers(headers)
    # The first two keep the values of a repeated header apart, where `items` of the same class would not.
    for method in ("multi_items", "get_all", "items"):
        if hasattr(headers, method):
            try:
                pairs: Iterable[tuple[Any, Any]] = getattr(headers, method)()
                return pairs
            except TypeError:  # Of another class, where it wants a name.
                continue
    return _checked(headers)


def _checked(headers: Any) -> Iterator[tuple[Any, Any]]:
    try:
        for header in headers:
            name, value = header
            yield name, value
    except (TypeError, ValueError):
        raise _no_headers(headers) from None


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError(f"headers: a name or value is {type(value).__name__}, expected str")


def _no_headers(headers: object) -> TypeError:
    what = "expected a mapping or pairs of names and values"
    return TypeError(f"headers is {type(headers).__name__}, {what}")
