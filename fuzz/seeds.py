"""Writes seeds/TARGET/*: a few inputs of each kind, taken from tests/vectors.

    python3 fuzz/seeds.py        # needs: pip install cryptography
"""

import base64
import datetime
import json
import pathlib
import shutil

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent / "tests" / "vectors"
MOST = 24  # files of a target


# Members of a key, for both keys or for one of them.
MEMBERS = ("", '"alg":"ES256"', '"alg":"EdDSA"', '"use":"enc"', '"key_ops":["verify"]', '"kty":"RSA","n":"AQAB","e":"AQAB"')


def spread(inputs):
    """At most MOST of the inputs, from all over the list, each once."""
    inputs = list(dict.fromkeys(inputs))
    return inputs[:: max(1, -(-len(inputs) // MOST))]


def vectors(path):
    return json.loads((VECTORS / path).read_text())


def unpadded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims(cases):
    for case in cases:
        parts = case["token"].split(".")
        try:
            payload = unpadded(parts[1])
        except (IndexError, ValueError):
            continue
        for name, value in (("https://accounts.google.com", "https://issuer.example"), ("https://cloud.google.com/iap", "https://issuer.example")):
            payload = payload.replace(name.encode(), value.encode())
        yield b"\n" + payload


def explained(cases):
    """Tokens with options, and payloads that are signed."""
    options = ["{}", '{"url":"https://tag---orders-7f3kq2x4ca-uc.a.run.app/path"}', '{"preset":"iap","header":"authorization"}', '{"audiences":["https://receiver.example"]}']
    for index, case in enumerate(spread([case["token"] for case in cases])[:16]):
        yield f"{options[index % len(options)]}\n{case}".encode()
    for payload in spread(claims(cases))[:6]:
        yield b"{}" + payload
    for text in ("ya29.access", "Bearer a.b.c", '"a.b.c"', ""):
        yield b"{}\n" + text.encode()


def transcripts():
    for path in sorted((VECTORS / "acquire").glob("*.json")):
        yield from json.loads(path.read_text()).get("cases", []) if path.name != "schema.json" else []


def text_of(reply):
    return next((reply[name] for name in ("text", "body", "stdout") if name in reply), "")


def ders():
    """A certificate and public keys, of the test keys of tests/vectors."""
    key = serialization.load_pem_private_key((VECTORS / "acquire" / "test_key.pem").read_bytes().split(b"\n", 1)[1], None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "seed")])
    begin = datetime.datetime(2026, 1, 1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin.replace(year=2036)).sign(key, hashes.SHA256())
    )
    yield certificate.public_bytes(serialization.Encoding.DER)
    for public in (key.public_key(), ec.derive_private_key(7, ec.SECP256R1()).public_key(), ec.derive_private_key(7, ec.SECP384R1()).public_key()):
        yield public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def main():
    corpus = vectors("verify/attack_corpus.json")
    cases = corpus["cases"]
    acquire = list(transcripts())
    client = vectors("client/attack_corpus.json")["cases"]
    as_text = lambda value: value if isinstance(value, str) else json.dumps(value)
    seeds = {
        "token": [case["token"].encode() for case in cases],
        "explain": explained(cases),
        "algorithms": [f'{{{members}}}\n{{"alg":"{alg}","kid":"k"}}\n'.encode() for members in MEMBERS for alg in ("ES256", "EdDSA", "RS256", "none")],
        "claims": claims(cases),
        "jwk_set": [as_text(keys).encode() for keys in corpus["jwks"].values()],
        "pem_map": ders(),
        "headers": [f"Bearer {case['token'][:40]}\n".encode() for case in cases[:3]]
        + [as_text(case["input"]).encode(errors="replace") for case in client if case["kind"] == "header_value"] + [b"\nbearer a.b.c\n", b"\n\na.b.c"],
        "credential_file": [
            "\n".join([case["options"]["credentials_json"], *(text_of(turn["reply"]).replace("\n", " ") for turn in case["transcript"])]).encode()
            for case in acquire if "credentials_json" in case["options"]
        ],
        "replies": ["\n".join(json.dumps(turn["reply"]) for turn in case["transcript"][1:]).encode() for case in acquire],
        "cache_headers": [b"Cache-Control: public, max-age=21155, must-revalidate\nAge: 120", b"Cache-Control: no-store", b"Expires: Fri, 15 Jan 2027 09:00:00 GMT\nDate: Fri, 15 Jan 2027 08:00:00 GMT", b"cache-control: max-age=0", b"Cache-Control: max-age=99999999999999999999"],
        "audience": [as_text(case["input"]).encode(errors="replace") for case in client if case["kind"] == "audience"]
        + [b"https://tag---orders-7f3kq2x4ca-uc.a.run.app/path?q#f", b"https://us-central1-shop.cloudfunctions.net/name/x"],
    }
    for target, inputs in seeds.items():
        folder = HERE / "seeds" / target
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for index, bytes in enumerate(spread(inputs)):
            (folder / f"{index:02}").write_bytes(bytes)


if __name__ == "__main__":
    main()
