"""The claims of a token that was accepted."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeAlias

    Members: TypeAlias = dict[str, Any]
    Items: TypeAlias = list[Any]
else:
    Members, Items = dict, list

__all__ = ["Claims"]


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError("claims cannot be changed: all who are sent this token share them; change a dict(claims)")


class _Object(Members):
    """An object of JSON that nobody can change. In all else it is a dict."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> _Object:
        return self

    def __deepcopy__(self, _: object) -> _Object:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class _Array(Items):
    """An array of JSON that nobody can change. In all else it is a list."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __copy__(self) -> _Array:
        return self

    def __deepcopy__(self, _: object) -> _Array:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self),)


class Claims(_Object):
    """The claims of a token that was accepted, as a dict: `claims["email"]`.

    They cannot be changed, nor can what they hold, for all who are sent the same token share them.
    `dict(claims)` is a dictionary of one's own.
    """

    __slots__ = ("_is_unverified",)

    def __init__(self, claims: Members, is_unverified: bool = False) -> None:
        super().__init__(claims)
        self._is_unverified = is_unverified

    @property
    def is_unverified(self) -> bool:
        """Whether nothing here proves the claims: Cloud Run has removed the signature after a check of its
        own, and the verifier was told `trust_cloud_run_and_skip_signature`."""
        return self._is_unverified

    def __repr__(self) -> str:
        return f"{'unverified ' if self._is_unverified else ''}{super().__repr__()}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self._is_unverified)


def from_json(payload: bytes, is_unverified: bool) -> Claims:
    """The claims that a payload holds."""
    import json

    claims = json.loads(payload)
    return Claims({name: _frozen(value) for name, value in claims.items()}, is_unverified)


def _frozen(value: Any) -> Any:
    match value:
        case dict():
            return _Object({name: _frozen(member) for name, member in value.items()})
        case list():
            return _Array([_frozen(item) for item in value])
        case _:
            return value
