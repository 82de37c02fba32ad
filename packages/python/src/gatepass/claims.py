"""The claims of a token that was accepted. The native module makes them, of these classes."""

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
    raise TypeError(
        "claims cannot be changed, as all calls with this token share them: change a copy, dict(claims)"
    )


class Object(Members):
    """A JSON object that cannot be changed, and otherwise a dict."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> Object:
        return self

    def __deepcopy__(self, _: object) -> Object:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)


class Array(Items):
    """A JSON array that cannot be changed, and otherwise a list."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __copy__(self) -> Array:
        return self

    def __deepcopy__(self, _: object) -> Array:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self),)


class Claims(Object):
    """The claims of a token that was accepted, as a dict: `claims["email"]`.

    They cannot be changed, nor can what they hold, as all calls with the same token share them.
    `dict(claims)` is a dictionary of one's own.
    """

    __slots__ = ()

    @property
    def is_unverified(self) -> bool:
        """Whether nothing here proves the claims: Cloud Run has removed the signature after a check of its
        own, and the verifier has the option `trust_cloud_run_and_skip_signature`."""
        return False


class UnverifiedClaims(Claims):
    """The claims of a token that Cloud Run has accepted, in its own words."""

    __slots__ = ()

    @property
    def is_unverified(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"unverified {super().__repr__()}"
