"""Writes algorithms.json: one token for each algorithm that a verifier may allow, and the mistakes that tempt one.

An independent second opinion: nothing here calls gatepass, and what signs is the `cryptography` package (but for the
salt of PSS, which is fixed here so that the file stays the same).

    python3 tests/vectors/algorithms/generate.py        # needs: pip install cryptography

TEST KEYS ONLY, all derived from the seed below.
"""

import base64
import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

SEED = b"gatepass test vectors: algorithms"
NOW = 1_800_000_000
ISSUER = "https://issuer.example"
AUDIENCE = "https://receiver.example"
ALL = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def stream(label, bytes):
    return hashlib.shake_256(SEED + b"/" + label.encode()).digest(bytes)


def is_prime(n):
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(label, bits):
    n = int.from_bytes(stream(label, bits // 8), "big") | 3 << bits - 2 | 1
    while not (is_prime(n) and (n - 1) % 65537):
        n += 2
    return n


def rsa_key(label, bits=2048):
    p, q = prime(label + "/p", bits // 2), prime(label + "/q", bits // 2)
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def ec_key(label, curve):
    return ec.derive_private_key(int.from_bytes(stream(label, 30), "big"), curve)


RSA, RSA_OTHER = rsa_key("rsa"), rsa_key("rsa other")
P256, P384 = ec_key("p256", ec.SECP256R1()), ec_key("p384", ec.SECP384R1())
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(stream("ed25519", 32))


def b64url(bytes):
    return base64.urlsafe_b64encode(bytes).rstrip(b"=").decode()


def number(n, length=None):
    return b64url(n.to_bytes(length or (n.bit_length() + 7) // 8, "big"))


def jwk(key, kid, **more):
    public = key.public_key()
    match key:
        case rsa.RSAPrivateKey():
            n = public.public_numbers()
            form = {"kty": "RSA", "n": number(n.n), "e": number(n.e)}
        case ec.EllipticCurvePrivateKey():
            n, length = public.public_numbers(), (key.key_size + 7) // 8
            form = {"kty": "EC", "crv": f"P-{key.key_size}", "x": number(n.x, length), "y": number(n.y, length)}
        case _:
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            form = {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)}
    return form | {"kid": kid, **more}


def mgf1(seed, length):
    blocks = (hashlib.sha256(seed + i.to_bytes(4, "big")).digest() for i in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def pss(key, message, salt_length=32):
    """RFC 8017, section 9.1.1, with a salt of our own."""
    numbers = key.private_numbers()
    length = key.key_size // 8
    salt = stream("salt", salt_length)
    digest = hashlib.sha256(bytes(8) + hashlib.sha256(message).digest() + salt).digest()
    block = bytes(length - salt_length - 34) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(digest, len(block))))
    masked[0] &= 0x7F
    encoded = bytes(masked) + digest + b"\xbc"
    signed = pow(int.from_bytes(encoded, "big"), numbers.d, numbers.public_numbers.n)
    return signed.to_bytes(length, "big")


def ecdsa(key, message, hash_):
    length = (key.key_size + 7) // 8
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hash_(), deterministic_signing=True)))
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def sign(alg, key, message):
    if alg == "EdDSA":
        return key.sign(message)
    hash_ = HASHES[alg[2:]]
    match alg[:2]:
        case "RS":
            return key.sign(message, padding.PKCS1v15(), hash_())
        case "PS":
            return pss(key, message)
        case "ES":
            return ecdsa(key, message, hash_)


def token(alg, kid, signer):
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "subject", "iat": NOW - 60, "exp": NOW + 3540}
    parts = [{"alg": alg, "kid": kid, "typ": "JWT"}, claims]
    message = ".".join(b64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{message}.{b64url(signer(message.encode()))}"


KEYS = {
    "rsa": jwk(RSA, "rsa"), "p256": jwk(P256, "p256"), "p384": jwk(P384, "p384"), "ed25519": jwk(ED25519, "ed25519"),
}
KEY_OF = {"RS": ("rsa", RSA), "PS": ("rsa", RSA), "ES256": ("p256", P256), "ES384": ("p384", P384),
          "EdDSA": ("ed25519", ED25519)}


def cases():
    def case(name, keys, token_, expected, algorithms=ALL):
        return {"name": name, "keys": {"keys": keys}, "algorithms": algorithms, "token": token_, "expected": expected}

    every = list(KEYS.values())
    honest = {}
    for alg in ALL:
        kid, key = KEY_OF.get(alg) or KEY_OF[alg[:2]]
        honest[alg] = token(alg, kid, lambda message: sign(alg, key, message))
        yield case(f"{alg}", every, honest[alg], "accept")
        yield case(f"{alg}, its key names it", [KEYS[kid] | {"alg": alg, "use": "sig"}], honest[alg], "accept")
        yield case(f"{alg}, not allowed", every, honest[alg], "ALG_NOT_ALLOWED", [a for a in ALL if a != alg])
        head, payload, signature = honest[alg].split(".")
        flipped = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
        yield case(f"{alg}, signature changed", every, f"{head}.{payload}.{flipped}", "BAD_SIGNATURE")
        cut = b64url(base64.urlsafe_b64decode(signature + "==")[:-1])
        yield case(f"{alg}, signature a byte short", every, f"{head}.{payload}.{cut}", "BAD_SIGNATURE")
        for other in ALL:
            if other == alg:
                continue
            named = KEYS[kid] | {"alg": other}
            yield case(f"{alg}, its key names {other}", [named], honest[alg], "KEY_UNUSABLE")
            renamed = token(other, kid, lambda message: sign(alg, key, message))
            same_key = kid == (KEY_OF.get(other) or KEY_OF[other[:2]])[0]
            yield case(f"{alg} signature under the name {other}", every, renamed,
                       "BAD_SIGNATURE" if same_key else "KEY_UNUSABLE")
    for alg in ("PS384", "PS512", "ES512", "ES256K", "HS256", "none", "eddsa", "Ed25519"):
        yield case(f"{alg}", every, token(alg, "rsa", lambda message: sign("RS256", RSA, message)), "ALG_NOT_ALLOWED")

    secret = RSA.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    confused = token("HS256", "rsa", lambda message: hmac.digest(secret, message, "sha256"))
    yield case("HS256 with the public key as secret", every, confused, "ALG_NOT_ALLOWED")
    oct_key = {"kty": "oct", "kid": "rsa", "alg": "RS256", "k": b64url(b"secret")}
    yield case("a symmetric key under the right id", [oct_key], honest["RS256"], "KEY_UNUSABLE")

    salted = token("PS256", "rsa", lambda message: pss(RSA, message, 20))
    yield case("PS256 with a salt of 20 bytes", every, salted, "BAD_SIGNATURE")
    der = token("ES256", "p256", lambda m: P256.sign(m, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    yield case("ES256 as DER", every, der, "BAD_SIGNATURE")
    for name, numbers in (("r = 0", (0, 1)), ("s = 0", (1, 0))):
        zero = token("ES384", "p384", lambda _: b"".join(n.to_bytes(48, "big") for n in numbers))
        yield case(f"ES384 with {name}", every, zero, "BAD_SIGNATURE")
    order = 2**252 + 27742317777372353535851937790883648493
    raw = base64.urlsafe_b64decode(honest["EdDSA"].split(".")[2] + "==")
    large = (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    unreduced = ".".join(honest["EdDSA"].split(".")[:2] + [b64url(raw[:32] + large)])
    yield case("EdDSA with S beyond the order", every, unreduced, "BAD_SIGNATURE")

    def with_key(name, changed, expected="KEY_UNUSABLE", alg="RS256"):
        return case(name, [changed], honest[alg], expected)

    yield with_key("private members beside the public ones", KEYS["rsa"] | {"d": "AQAB"}, "accept")
    yield with_key("use enc", KEYS["rsa"] | {"use": "enc"})
    yield with_key("key_ops without verify", KEYS["rsa"] | {"key_ops": ["sign"]})
    yield with_key("key_ops with verify", KEYS["rsa"] | {"key_ops": ["verify"]}, "accept")
    yield with_key("RSA of 1024 bits", jwk(rsa_key("rsa small", 1024), "rsa"))
    for exponent in (1, 3, 65536, 2**33 + 1):
        yield with_key(f"RSA exponent {exponent}", KEYS["rsa"] | {"e": number(exponent)})
    yield with_key("P-384 key under crv P-256", KEYS["p384"] | {"crv": "P-256"}, alg="ES384")
    yield with_key("P-384 point off the curve", KEYS["p384"] | {"y": KEYS["p384"]["x"]}, alg="ES384")
    yield with_key("P-256 key for ES384", KEYS["p256"] | {"kid": "p384"}, alg="ES384")
    yield with_key("Ed25519 point of small order", KEYS["ed25519"] | {"x": b64url(bytes([1] + 31 * [0]))}, alg="EdDSA")
    yield with_key("Ed25519 point a byte short", KEYS["ed25519"] | {"x": b64url(bytes(31))}, alg="EdDSA")
    yield with_key("X25519 key", KEYS["ed25519"] | {"crv": "X25519"}, alg="EdDSA")
    twice = [KEYS["rsa"], jwk(RSA_OTHER, "rsa")]
    yield case("two keys of one id", twice, honest["RS256"], "KEY_UNUSABLE")
    yield case("two keys of one id, one for each algorithm",
               [KEYS["rsa"] | {"alg": "RS256"}, jwk(RSA_OTHER, "rsa", alg="RS512")], honest["RS256"], "accept")

    def pem(key):
        return key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    for alg, (kid, key) in {"PS256": KEY_OF["PS"], "ES384": KEY_OF["ES384"], "EdDSA": KEY_OF["EdDSA"]}.items():
        yield case(f"{alg}, its key in PEM", None, honest[alg], "accept") | {"keys": {kid: pem(key)}}


def main():
    comment = ("TEST KEYS ONLY. Written by generate.py. `expected` is accept, or the code of the refusal, by a verifier "
               "with these issuers, audiences, keys and algorithms, at this moment.")
    document = {"comment": comment, "issuer": ISSUER, "audience": AUDIENCE, "now": NOW, "cases": list(cases())}
    file = pathlib.Path(__file__).with_name("algorithms.json")
    file.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
