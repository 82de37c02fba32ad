"""The options of the middlewares: what passes without a token, and what is noted of what does not."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Protocol

import fastapi
import flask
import pytest
from starlette.testclient import TestClient

import gatepass
import gatepass.asgi
import gatepass.flask
from tokens import AUDIENCE, token_of, verifier_at_zero

GOOD = {"Authorization": f"Bearer {token_of(email='caller@example.com')}"}
BAD = {"Authorization": f"Bearer {token_of(aud='https://other.example', email='a@example.com')}"}
PREFLIGHT = {"Origin": "https://ui.example", "Access-Control-Request-Method": "GET"}


class Answer(Protocol):
    status_code: int
    text: str


Call = Callable[..., Answer]


def flask_app(**options: Any) -> Call:
    app = flask.Flask("receiver")
    app.before_request(gatepass.flask.RequireIdToken(verifier_at_zero(), **options).check)

    @app.get("/")
    @app.get("/health")
    @app.get("/health/more")
    def view() -> str:
        claims = flask.g.get("claims", "open")
        return claims if isinstance(claims, str) else str(claims and claims["email"])

    @app.route("/options", methods=["GET", "OPTIONS"])
    def options_too() -> str:
        return "reached"

    client = app.test_client()
    return lambda method, path, headers: client.open(path, method=method, headers=headers)


def asgi_app(**options: Any) -> Call:
    app = fastapi.FastAPI()
    app.add_middleware(gatepass.asgi.RequireIdToken, verifier=verifier_at_zero(), **options)

    @app.get("/")
    @app.get("/health")
    @app.get("/health/more")
    async def view(request: fastapi.Request) -> fastapi.Response:
        claims = getattr(request.state, "claims", "open")
        return fastapi.Response(claims if isinstance(claims, str) else str(claims and claims["email"]))

    @app.api_route("/options", methods=["GET", "OPTIONS"])
    async def options_too() -> fastapi.Response:
        return fastapi.Response("reached")

    client = TestClient(app)
    return lambda method, path, headers: client.request(method, path, headers=headers)


@pytest.fixture(params=[flask_app, asgi_app])
def app(request: pytest.FixtureRequest) -> Callable[..., Call]:
    make: Callable[..., Call] = request.param
    return make


def test_by_default_every_request_needs_a_token(app: Callable[..., Call]) -> None:
    call = app()
    answer = call("GET", "/", GOOD)
    assert (answer.status_code, answer.text) == (200, "caller@example.com")
    for path in ("/", "/health", "/options", "/nowhere"):
        assert call("GET", path, {}).status_code == 401
        assert call("OPTIONS", path, {}).status_code == 401
    assert call("OPTIONS", "/options", PREFLIGHT).status_code == 401


def test_an_optional_token_may_be_missing_and_not_bad(app: Callable[..., Call]) -> None:
    call = app(optional=True)
    assert call("GET", "/", GOOD).text == "caller@example.com"
    assert (call("GET", "/", {}).status_code, call("GET", "/", {}).text) == (200, "None")
    for headers in (BAD, {"Authorization": "Bearer a.b.c"}):
        assert call("GET", "/", headers).status_code == 401


def test_an_open_path_is_that_path_and_no_other(app: Callable[..., Call]) -> None:
    call = app(open_paths=["/health"])
    for headers in ({}, BAD, GOOD):
        assert (call("GET", "/health", headers).status_code, call("GET", "/health", headers).text) == (
            200,
            "open",
        )
    for path in ("/", "/health/more", "/Health", "/health/", "//health", "/x/%2e%2e/health"):
        assert call("GET", path, {}).status_code in (401, 404), path
        assert call("GET", path, {}).text != "open"


def test_a_preflight_passes_where_that_is_allowed(app: Callable[..., Call]) -> None:
    call = app(allow_preflight=True)
    assert call("OPTIONS", "/options", PREFLIGHT).text == "reached"
    for headers in ({}, {"Origin": "https://ui.example"}):
        assert call("OPTIONS", "/options", headers).status_code == 401
    assert call("GET", "/options", PREFLIGHT).status_code == 401


def test_a_preflight_that_flask_answers_by_itself_passes() -> None:
    assert flask_app()("OPTIONS", "/", PREFLIGHT).status_code == 200
    assert flask_app()("OPTIONS", "/nowhere", PREFLIGHT).status_code == 401
    assert flask_app(allow_preflight=False)("OPTIONS", "/", PREFLIGHT).status_code == 401


def test_a_refusal_is_one_line_in_the_log(app: Callable[..., Call], caplog: pytest.LogCaptureFixture) -> None:
    assert app()("GET", "/health", BAD).status_code == 401
    (record,) = [record for record in caplog.records if record.name == "gatepass"]
    line = record.getMessage()
    assert record.levelno == logging.WARNING and record.exc_info is None
    assert '"/health"' in line and "BAD_AUDIENCE" in line
    assert re.search(r"claimed e-mail \(unverified\) \W?a@example\.com", line)
    assert BAD["Authorization"].split()[1] not in line and "\n" not in line


def test_nothing_that_a_caller_chooses_breaks_the_line(
    app: Callable[..., Call], caplog: pytest.LogCaptureFixture
) -> None:
    token = token_of(aud="https://other.example", email="a\nrefused '/': forged")
    assert app()("GET", "/a%0Ab", {"Authorization": f"Bearer {token}"}).status_code == 401
    lines = [record.getMessage() for record in caplog.records if record.name == "gatepass"]
    assert len(lines) == 1 and "\n" not in lines[0]


def test_a_function_is_called_in_place_of_the_line(
    app: Callable[..., Call], caplog: pytest.LogCaptureFixture
) -> None:
    noted: list[tuple[str, str]] = []
    call = app(on_refusal=lambda error, path: noted.append((error.code, path)))
    assert call("GET", "/health", BAD).status_code == 401
    assert noted == [("BAD_AUDIENCE", "/health")]
    assert [record for record in caplog.records if record.name == "gatepass"] == []


def test_a_function_that_fails_lets_nobody_in(
    app: Callable[..., Call], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(error: gatepass.GatepassError, path: str) -> None:
        raise RuntimeError("hush")

    call = app(on_refusal=fails)
    for headers in ({}, BAD):
        answer = call("GET", "/", headers)
        assert answer.status_code == 401 and "error" in answer.text
    assert "RuntimeError" in caplog.text and "hush" not in caplog.text


@pytest.mark.parametrize(
    "options",
    [{"optional": 1}, {"open_paths": 7}, {"open_paths": [7]}, {"on_refusal": "a"}, {"allow_preflight": "no"}],
)
def test_an_argument_of_the_wrong_type_is_named(app: Callable[..., Call], options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        app(**options)("GET", "/", {})


def test_a_hook_that_nobody_would_await_is_refused(app: Callable[..., Call]) -> None:
    async def note(error: gatepass.GatepassError, path: str) -> None: ...

    with pytest.raises(TypeError, match="on_refusal is a coroutine function"):
        app(on_refusal=note)("GET", "/", {})


def test_another_verifier_is_named() -> None:
    for make in (gatepass.flask.RequireIdToken, lambda v: gatepass.asgi.RequireIdToken(None, v)):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="verifier is str, expected Verifier"):
            make(AUDIENCE)  # type: ignore[arg-type, no-untyped-call]
