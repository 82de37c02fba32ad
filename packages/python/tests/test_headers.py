"""The token of a request, in whatever form its headers come."""

from __future__ import annotations

from email.message import Message
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers as StarletteHeaders
from werkzeug.datastructures import Headers as WerkzeugHeaders

import gatepass
from tokens import token_of, verifier_at_zero

NAMES = ["Authorization", "X-Serverless-Authorization"]


def mail(pairs: list[tuple[str, str]]) -> Message:
    message = Message()
    for name, value in pairs:
        message[name] = value
    return message


FORMS: dict[str, Any] = {
    "dict": dict,
    "dict, lower case": lambda pairs: {name.lower(): value for name, value in pairs},
    "dict, upper case": lambda pairs: {name.upper(): value for name, value in pairs},
    "dict of lists": lambda pairs: {name: [value] for name, value in pairs},
    "dict with other things in it": lambda pairs: {"Cookie": ["a", "b"], "X-Goog-IAP": None, **dict(pairs)},
    "pairs": list,
    "iterator": iter,
    "bytes": lambda pairs: [(name.lower().encode(), value.encode()) for name, value in pairs],
    "werkzeug": WerkzeugHeaders,
    "starlette": lambda pairs: StarletteHeaders(dict(pairs)),
    "httpx": httpx.Headers,
    "email": mail,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_found_in_any_form(form: str, name: str) -> None:
    token = token_of()
    verifier = verifier_at_zero()
    assert verifier.token_from_headers(FORMS[form]([(name, f"Bearer {token}")])) == token
    with pytest.raises(gatepass.VerifyError) as raised:
        verifier.token_from_headers(FORMS[form]([("X-Other", f"Bearer {token}")]))
    assert raised.value.code == "TOKEN_MISSING"


TWICE: dict[str, Any] = {
    "dict of lists": lambda name, values: {name: values},
    "dict with two spellings": lambda name, values: {name: values[0], name.lower(): values[1]},
    "pairs": lambda name, values: [(name, value) for value in values],
    "werkzeug": lambda name, values: WerkzeugHeaders([(name, value) for value in values]),
    "starlette": lambda name, values: StarletteHeaders(
        raw=[(name.lower().encode(), value.encode()) for value in values]
    ),
    "httpx": lambda name, values: httpx.Headers([(name, value) for value in values]),
    "email": lambda name, values: mail([(name, value) for value in values]),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", TWICE)
def test_several_tokens_are_refused_whichever_is_good(form: str, name: str) -> None:
    good, verifier = f"Bearer {token_of()}", verifier_at_zero()
    for values in ([good, good], [good, "Basic a"], ["Basic a", good], [good, f"Bearer {token_of(sub='2')}"]):
        with pytest.raises(gatepass.VerifyError) as raised:
            verifier.token_from_headers(TWICE[form](name, values))
        assert raised.value.code == "TOKEN_MALFORMED"


@pytest.mark.parametrize(
    "headers", [None, 7, "Authorization: Bearer a", b"a", [1], ["a"], {"Authorization": 7}, [(1, "a")]]
)
def test_what_are_no_headers(headers: Any) -> None:
    with pytest.raises(TypeError, match="headers"):
        verifier_at_zero().token_from_headers(headers)
