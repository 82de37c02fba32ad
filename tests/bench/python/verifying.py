"""Each library as a function that verifies: signature, expiry, audience and issuer, with keys in memory.

Where a library takes a key in several forms it is given the one that is fastest. Each module is imported by
the function that makes its verifier, so that a fresh process pays for one of them only.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Verify: TypeAlias = Callable[[str], Any]


def gatepass(issuer: dict[str, Any]) -> Verify:
    import gatepass

    preset: Any = "iap" if issuer["algorithm"] == "ES256" else "google"
    return gatepass.Verifier(issuer["audience"], preset=preset, keys=issuer["jwks"]).verify


def google_auth(issuer: dict[str, Any]) -> Verify:
    """`google.oauth2.id_token`, whose keys come from memory in place of Google's endpoint."""
    import json

    from google.oauth2 import id_token

    class Response:
        status = 200
        data = json.dumps({issuer["kid"]: issuer["public_pem"]}).encode()

    def request(*_: Any, **__: Any) -> type[Response]:
        return Response

    audience, name = issuer["audience"], issuer["name"]
    if issuer["algorithm"] == "RS256":
        return lambda token: id_token.verify_oauth2_token(token, request, audience)

    def verify(token: str) -> Any:  # As Google's sample for Identity-Aware Proxy.
        claims = id_token.verify_token(token, request, audience, "https://keys.example")
        if claims["iss"] != name:
            raise ValueError("another issuer")
        return claims

    return verify


def google_auth_jwt(issuer: dict[str, Any]) -> Verify:
    """`google.auth.jwt`, the part of google-auth that checks."""
    from google.auth import jwt

    certificates, audience, name = {issuer["kid"]: issuer["public_pem"]}, issuer["audience"], issuer["name"]

    def verify(token: str) -> Any:
        claims = jwt.decode(token, certificates, audience=audience)
        if claims["iss"] != name:
            raise ValueError("another issuer")
        return claims

    return verify


def pyjwt(issuer: dict[str, Any]) -> Verify:
    import jwt

    key = jwt.PyJWK(issuer["jwks"]["keys"][0])
    audience, name, algorithms = issuer["audience"], issuer["name"], [issuer["algorithm"]]
    return lambda token: jwt.decode(token, key, algorithms, audience=audience, issuer=name)


def joserfc(issuer: dict[str, Any]) -> Verify:
    from joserfc import jwk, jwt

    key = jwk.import_key(issuer["jwks"]["keys"][0])
    algorithms = [issuer["algorithm"]]
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer["name"]},
        aud={"essential": True, "value": issuer["audience"]},
        exp={"essential": True},
    )

    def verify(token: str) -> Any:
        decoded = jwt.decode(token, key, algorithms)
        registry.validate(decoded.claims)
        return decoded.claims

    return verify


# The name of a peer, the distribution whose version is shown, and the function that makes its verifier.
PEERS: dict[str, tuple[str, Callable[[dict[str, Any]], Verify]]] = {
    "gatepass": ("gatepass", gatepass),
    "google-auth": ("google-auth", google_auth),
    "google-auth jwt.decode": ("google-auth", google_auth_jwt),
    "PyJWT": ("PyJWT", pyjwt),
    "joserfc": ("joserfc", joserfc),
}
