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
import logging
from typing import TYPE_CHECKING

import flask

from gatepass.errors import GatepassError
from gatepass.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["RequireIdToken"]

logger = logging.getLogger("gatepass")


class RequireIdToken:
    """Lets a request through if its token is accepted, with the claims in `flask.g.claims`.

    Any other is answered with a status and the error's code; the message goes to the logger "gatepass".

    Args:
        verifier: Whom to accept.
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    def __call__(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Guards one view."""

        @functools.wraps(view)
        def guarded(*arguments: Any, **options: Any) -> Any:
            refused = self.check()
            return flask.current_app.ensure_sync(view)(*arguments, **options) if refused is None else refused

        return guarded

    def check(self) -> flask.Response | None:
        """Guards all views, as a function for `before_request`: None lets the request through."""
        try:
            token = self._verifier.token_from_headers(flask.request.headers)
            flask.g.claims = self._verifier.verify(token)
        except GatepassError as error:
            logger.warning("refused a request: %s", error)
            refusal = error.refusal
            return flask.Response(refusal.body, refusal.status, refusal.headers)
        return None
