"""Keys and tokens: made when the benchmark starts, the same for all peers."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

AUDIENCE = "https://receiver-abcdefghij-uc.a.run.app"
KID = "1"
EMAIL = "caller@orders-prod.iam.gserviceaccount.com"


@dataclass(frozen=True)
class Issuer:
    """An issuer, and its key in each form that a library wants."""

    name: str
    algorithm: str
    audience: str
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def private_pem(self) -> str:
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self.key.private_bytes(serialization.Encoding.PEM, *form).decode()

    @property
    def public_pem(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()

    @property
    def jwks(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        if isinstance(numbers, rsa.RSAPublicNumbers):
            key = {"kty": "RSA", "n": url64(numbers.n), "e": url64(numbers.e)}
        else:
            x, y = (url64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
            key = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return {"keys": [{**key, "kid": KID, "alg": self.algorithm, "use": "sig"}]}

    def claims(self, number: int = 0) -> dict[str, Any]:
        """Those of a service account's ID token of Google's."""
        now = int(time.time())
        return {
            "aud": self.audience,
            "azp": "104029291836254109283",
            "email": EMAIL,
            "email_verified": True,
            "exp": now + 3600,
            "iat": now,
            "iss": self.name,
            "sub": f"{104029291836254109283 + number}",
        }

    def token(self, number: int = 0) -> str:
        """A token; each number gives another."""
        header = {"alg": self.algorithm, "kid": KID, "typ": "JWT"}
        parts = (json.dumps(part, separators=(",", ":")) for part in (header, self.claims(number)))
        text = ".".join(url64(part.encode()) for part in parts)
        return f"{text}.{url64(self._sign(text.encode()))}"

    def signature_check(self, token: str) -> tuple[Any, ...]:
        """What the public key's `verify` of cryptography takes, to check the signature of a token."""
        signed, _, signature = token.rpartition(".")
        data = base64.urlsafe_b64decode(signature + "==")
        if isinstance(self.key, rsa.RSAPrivateKey):
            return data, signed.encode(), padding.PKCS1v15(), hashes.SHA256()
        r, s = (int.from_bytes(half, "big") for half in (data[:32], data[32:]))
        return encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256())

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@cache
def google() -> Issuer:
    """RS256 with 2,048 bits, as Google's ID tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Issuer("https://accounts.google.com", "RS256", AUDIENCE, key)


@cache
def iap() -> Issuer:
    """ES256, as Identity-Aware Proxy's assertions."""
    audience = "/projects/418702934/global/backendServices/7730911834"
    return Issuer("https://cloud.google.com/iap", "ES256", audience, ec.generate_private_key(ec.SECP256R1()))


def key_file(issuer: Issuer) -> dict[str, str]:
    """A service account's key file."""
    return {
        "type": "service_account",
        "client_email": EMAIL,
        "private_key_id": KID,
        "private_key": issuer.private_pem,
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def url64(value: bytes | int) -> str:
    data = value if isinstance(value, bytes) else value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
