"""Service-to-service identity tokens for Google Cloud: fetch, attach, verify.

    import gatepass

    token = gatepass.fetch_id_token("https://receiver.example")
    claims = gatepass.verify_id_token(token, audience="https://receiver.example")

`gatepass.aio` has the same for asyncio, `gatepass.requests` and `gatepass.httpx` attach tokens to calls,
`gatepass.flask` and `gatepass.asgi` check those of requests. All are imported when they are first used.

A token that is refused is explained by `print(gatepass.explain(token, audience=…))`.
"""

from __future__ import annotations

from gatepass import _native
from gatepass._native import version as __version__
from gatepass.audience import audience_for_url, own_audiences, same_audience_spellings
from gatepass.claims import Claims
from gatepass.errors import CredentialsError, GatepassError, Refusal, TransportError, VerifyError
from gatepass.principal import Principal, Signature
from gatepass.source import TokenSource, default_source
from gatepass.supplier import SubjectTokenRequest
from gatepass.token import Token
from gatepass.verifier import Verifier, default_verifier, explain

# typing itself is not imported when a program runs: it would double the time of `import gatepass`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gatepass import aio as aio
    from gatepass import asgi as asgi
    from gatepass import flask as flask
    from gatepass import httpx as httpx
    from gatepass import requests as requests
    from gatepass._types import Strings

_native.bind()

__all__ = [
    "Claims",
    "CredentialsError",
    "GatepassError",
    "Principal",
    "Refusal",
    "Signature",
    "SubjectTokenRequest",
    "Token",
    "TokenSource",
    "TransportError",
    "Verifier",
    "VerifyError",
    "__version__",
    "audience_for_url",
    "explain",
    "fetch_access_token",
    "fetch_access_token_info",
    "fetch_id_token",
    "fetch_id_token_info",
    "own_audiences",
    "same_audience_spellings",
    "verify_id_token",
]


def fetch_id_token(audience: str) -> str:
    """The ID token for `audience`, from Application Default Credentials, cached for the whole process.

    See `TokenSource.fetch_id_token`.
    """
    return default_source().fetch_id_token(audience)


def fetch_id_token_info(audience: str) -> Token:
    """The token of `fetch_id_token`, with its end."""
    return default_source().fetch_id_token_info(audience)


def fetch_access_token(scopes: Strings = ()) -> str:
    """The access token for `scopes`, from Application Default Credentials, cached for the whole process.

    See `TokenSource.fetch_access_token`.
    """
    return default_source().fetch_access_token(scopes)


def fetch_access_token_info(scopes: Strings = ()) -> Token:
    """The token of `fetch_access_token`, with its end."""
    return default_source().fetch_access_token_info(scopes)


def verify_id_token(token: str | bytes, audience: Strings) -> Claims:
    """The claims of an ID token of Google's that is for `audience`; keys are cached for the whole process.

    For anything but this, such as another issuer or a list of callers, make a `Verifier`.

    Raises:
        VerifyError: The token is refused, or the issuer's keys cannot be had; `code` says why.
    """
    return default_verifier(audience).verify(token)


def __getattr__(name: str) -> Any:
    if name in ("aio", "asgi", "flask", "grpc", "httpx", "requests"):
        import importlib

        return importlib.import_module(f"gatepass.{name}")
    raise AttributeError(f"module 'gatepass' has no attribute {name!r}")
