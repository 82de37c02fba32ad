"""Writes presets.json: what a verifier takes its rules from, when its options name a preset and when they do not.

The keys, and what signs, are those of ../algorithms/generate.py.

    python3 tests/vectors/presets/generate.py        # needs: pip install cryptography

TEST KEYS ONLY.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "algorithms"))
import generate as algorithms  # noqa: E402

NOW, ISSUER, AUDIENCE = algorithms.NOW, algorithms.ISSUER, algorithms.AUDIENCE
GOOGLE = "https://accounts.google.com"


def token(issuer, alg="RS256"):
    kid, key = algorithms.KEY_OF.get(alg) or algorithms.KEY_OF[alg[:2]]
    claims = {"iss": issuer, "aud": AUDIENCE, "sub": "subject", "azp": "subject", "email": "caller@example.com",
              "email_verified": True, "iat": NOW - 60, "exp": NOW + 3540}
    parts = [{"alg": alg, "kid": kid, "typ": "JWT"}, claims]
    message = ".".join(algorithms.b64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{message}.{algorithms.b64url(algorithms.sign(alg, key, message.encode()))}"


def cases():
    tokens = {"Google's": token(GOOGLE), "the issuer's": token(ISSUER), "the issuer's, ES256": token(ISSUER, "ES256")}

    def case(name, whose, expected, preset=None, issuers=None, algorithms=None, audience=AUDIENCE):
        options = {"audience": audience, "preset": preset, "issuers": issuers, "algorithms": algorithms}
        return {"name": f"{name}: {whose} token", **options, "token": tokens[whose], "expected": expected}

    yield case("keys alone", "Google's", "accept")
    yield case("keys alone", "the issuer's", "BAD_ISSUER")
    named = {"issuers": [ISSUER], "algorithms": ["RS256"]}
    yield case("issuers, keys and algorithms", "the issuer's", "accept", **named)
    yield case("issuers, keys and algorithms", "Google's", "BAD_ISSUER", **named)
    yield case("issuers, keys and algorithms", "the issuer's, ES256", "ALG_NOT_ALLOWED", **named)
    yield case("issuers and keys, nobody says how they sign", "the issuer's", "INVALID_OPTION", issuers=[ISSUER])
    yield case("an empty list of issuers", "Google's", "INVALID_OPTION", issuers=[])
    yield case("an empty list of issuers with Google's preset", "Google's", "INVALID_OPTION", preset="google", issuers=[])
    yield case("Google's preset", "Google's", "accept", preset="google")
    yield case("Google's preset", "the issuer's", "BAD_ISSUER", preset="google")
    yield case("Google's preset with issuers", "the issuer's", "accept", preset="google", issuers=[ISSUER])
    yield case("Google's preset with issuers", "Google's", "BAD_ISSUER", preset="google", issuers=[ISSUER])
    yield case("the preset of OpenID Connect", "the issuer's", "accept", preset="oidc", **named)
    yield case("the preset of IAP, for an audience that is no resource of IAP", "Google's", "INVALID_OPTION", preset="iap")
    for what, audience in [("a space in front", f" {AUDIENCE}"), ("a line feed behind", f"{AUDIENCE}\n"),
                           ("an invisible character", f"{AUDIENCE}\u200b")]:
        yield case(f"an audience with {what}, as none can be asked for", "Google's", "INVALID_AUDIENCE", audience=audience)
    yield case("no more of an audience than white space", "Google's", "INVALID_AUDIENCE", audience=" ")


def main():
    comment = ("TEST KEYS ONLY. Written by generate.py. `expected` is accept, or the code of the refusal, be it of the "
               "options or of the token, by a verifier with these options and these keys, at this moment. "
               "What is null is not given.")
    keys = {"keys": [algorithms.KEYS["rsa"], algorithms.KEYS["p256"]]}
    document = {"comment": comment, "now": NOW, "keys": keys, "cases": list(cases())}
    file = pathlib.Path(__file__).with_name("presets.json")
    file.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
