"""Checks the tokens of requests to a Flask application.

    app = flask.Flask(__name__)
    id_token = gatepass.flask.RequireIdToken(gatepass.Verifier(audience="https://receiver.example"))

    @app.get("/")
    @id_token
    def hello():
        return f"Hello {flask.g.claims['email']}"

For all requests of an application or a blueprint: `app.before_request(id_token.check)`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import flask

from gatepass._arguments import check
from gatepass._guard import Guard, is_preflight
from gatepass.errors import GatepassError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gatepass._guard import OnRefusal
    from gatepass._types import Strings
    from gatepass.verifier import Verifier

__all__ = ["RequireIdToken"]


class RequireIdToken:
    """Lets a request through if its token is accepted, with the claims in `flask.g.claims`.

    Any other is answered with a status and the error's code; the logger "gatepass" gets a line about it.

    Args:
        verifier: Whom to accept.
        optional: Let a request without a token through as well, with None for the claims; never one with a
            bad token.
        open_paths: Paths that need no token, such as that of a health check. Each is the whole path.
        on_refusal: Called with the error and the path of a request that is refused, in place of the log line.
        allow_preflight: Let CORS preflights through, which bear no token. By default those that Flask answers
            by itself, without calling a view; True: also those that a view answers; False: none.
    """

    def __init__(
        self,
        verifier: Verifier,
        *,
        optional: bool = False,
        open_paths: Strings = (),
        on_refusal: OnRefusal | None = None,
        allow_preflight: bool | None = None,
    ) -> None:
        check({"allow_preflight": allow_preflight}, allow_preflight=bool)
        self._guard = Guard(verifier, optional, open_paths, on_refusal)
        self._allow_preflight = allow_preflight

    def __call__(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Guards one view."""

        @functools.wraps(view)
        def guarded(*arguments: Any, **options: Any) -> Any:
            refused = self.check()
            return flask.current_app.ensure_sync(view)(*arguments, **options) if refused is None else refused

        return guarded

    def check(self) -> flask.Response | None:
        """Guards all views, as a function for `before_request`: None lets the request through."""
        path = flask.request.path
        if self._guard.leaves_open(path) or self._is_free_preflight():
            return None
        try:
            token = self._guard.verifier.token_from_headers(flask.request.headers)
            flask.g.claims = self._guard.verifier.verify(token)
        except GatepassError as error:
            if not self._guard.goes_without(error):
                refusal = self._guard.refuse(error, path)
                return flask.Response(refusal.body, refusal.status, refusal.headers)
            flask.g.claims = None
        return None

    def _is_free_preflight(self) -> bool:
        headers = flask.request.headers
        names = headers.get("Origin"), headers.get("Access-Control-Request-Method")
        if self._allow_preflight is False or not is_preflight(flask.request.method, *names):
            return False
        return bool(
            self._allow_preflight or getattr(flask.request.url_rule, "provide_automatic_options", False)
        )
