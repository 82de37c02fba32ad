"""A program of a user, for the type checker: it is never run."""

from __future__ import annotations

from typing import Any

import flask
import httpx
import requests
from typing_extensions import assert_type

import gatepass

assert_type(gatepass.fetch_id_token("https://receiver.example"), str)
claims = gatepass.verify_id_token("token", audience="https://receiver.example")
assert_type(claims, gatepass.Claims)
assert_type(claims["email"], Any)

requests.get("https://receiver.example", auth=gatepass.requests.IdTokenAuth(), timeout=10)
httpx.Client(auth=gatepass.httpx.IdTokenAuth(audience="https://receiver.example"))
requests.get("https://pubsub.googleapis.com", auth=gatepass.requests.AccessTokenAuth("scope"), timeout=10)
httpx.Client(auth=gatepass.httpx.AccessTokenAuth(["scope"]))
httpx.AsyncClient(auth=gatepass.httpx.IdTokenAuth(source=gatepass.TokenSource()))

app = flask.Flask(__name__)
id_token = gatepass.flask.RequireIdToken(gatepass.Verifier(["a", "b"], allowed_emails={"c"}))
app.before_request(id_token.check)


@app.get("/")
@id_token
def hello() -> str:
    return str(flask.g.claims["email"])


async def both() -> None:
    assert_type(await gatepass.aio.fetch_access_token(["scope"]), str)
    assert_type(await gatepass.aio.verify_id_token("token", "a"), gatepass.Claims)
    assert_type(await gatepass.aio.own_audiences(), list[str])


gatepass.Verifier(gatepass.own_audiences(), preset="cloud_run", allowed_subjects={"1"})
gatepass.Verifier("a", preset="oidc", issuers="https://issuer.example", algorithms=["ES256", "EdDSA"])
gatepass.Verifier("a", preset="cloudrun")  # type: ignore[arg-type]
for finding in gatepass.explain("token", audience=["a"], preset="pubsub", url="https://a").findings:
    assert_type(finding.todo, str)
gatepass.explain("token", audiance="a")  # type: ignore[call-arg]


async def supplier(request: gatepass.SubjectTokenRequest) -> str:
    return request.audience


gatepass.TokenSource(suppliers={"a": supplier, "b": lambda request: request.token_type})


def codes(error: gatepass.GatepassError) -> bool:
    if error.code == "TOKEN_EXPIRD":  # type: ignore[comparison-overlap]
        return False
    return error.retryable
