"""Tokens of an issuer whose key the tests have, and a verifier of them whose clock stands at zero."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import gatepass

AUDIENCE = "https://receiver.example"
CLAIMS = {"iss": "https://issuer.example", "aud": AUDIENCE, "iat": 0, "exp": 60, "sub": "1"}
KEY = ec.derive_private_key(1, ec.SECP256R1())


def verifier_at_zero(**options: Any) -> gatepass.Verifier:
    numbers = KEY.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "kid": "a", **{n: url64(getattr(numbers, n)) for n in ("x", "y")}}
    return gatepass.Verifier(
        AUDIENCE,
        issuers=CLAIMS["iss"],
        algorithms="ES256",
        keys={"keys": [jwk]},
        clock=lambda: 0,
        **options,
    )


def token_of(**claims: Any) -> str:
    parts = [
        json.dumps(part, ensure_ascii=False).encode()
        for part in ({"alg": "ES256", "kid": "a"}, {**CLAIMS, **claims})
    ]
    text = ".".join(url64(part) for part in parts)
    r, s = decode_dss_signature(KEY.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{url64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def url64(value: bytes | int) -> str:
    raw = value.to_bytes(32, "big") if isinstance(value, int) else value
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
