"""Writes acquire/*.json and cache/*.json.

An independent second opinion: nothing here calls gatepass. URLs are escaped by urllib, assertions are signed by
the `cryptography` package, and the few rules on time and jitter are written down a second time, in a dozen lines.

    python3 tests/vectors/generate.py        # needs: pip install cryptography

TEST KEYS ONLY: the service-account key is the one of the attack corpus's generator, derived from a public seed.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

HERE = pathlib.Path(__file__).parent
NOW = 1_800_000_000_000  # ms: 2027-01-15T08:00:00Z
SEED = 7
AUDIENCE = "https://orders-7f3kq2x4ca-uc.a.run.app"
EC_KEY = ec.derive_private_key(int.from_bytes(hashlib.sha256(b"a test key of gatepass").digest(), "big"), ec.SECP256R1())
EC_KEY_PEM = EC_KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()).decode()
EMAIL = "caller@orders-prod.iam.gserviceaccount.com"
KEY_PEM = (HERE / "acquire" / "test_key.pem").read_text().split("\n", 1)[1]
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_URI = "https://oauth2.googleapis.com/token"
NAMES = [
    "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "APPDATA", "HOME", "NO_GCE_CHECK",
    "METADATA_SERVER_DETECTION", "GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP", "GCE_METADATA_TIMEOUT", "K_SERVICE",
    "FUNCTION_NAME", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL", "GATEPASS_TRUSTED_ENDPOINTS",
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "GOOGLE_CLOUD_QUOTA_PROJECT", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
    "CLOUDSDK_AUTH_TOKEN_HOST", "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
    "no_proxy", "NO_PROXY", "REQUEST_METHOD",
]
MASK = 2**64 - 1


class Jitter:
    """SplitMix64, as the core spreads its waits."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def up_to(self, limit):
        return self.next() % (limit + 1)

    def fork(self):
        return Jitter(self.next())


def b64url(bytes):
    return base64.urlsafe_b64encode(bytes).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def id_token(exp_ms, audience=AUDIENCE, **claims):
    claims = {"iss": "https://accounts.google.com", "aud": audience, "exp": exp_ms // 1000, **claims}
    return ".".join([b64url(b'{"alg":"RS256","kid":"k"}'), b64url(compact(claims)), b64url(b"not checked by callers")])


def lived(now, issuer=EMAIL):
    return {"iss": issuer, "iat": now // 1000, "exp": now // 1000 + 3600}


def assertion(now, claims, kid="5a1f0d", aud=TOKEN_URI):
    return signed({**lived(now), "aud": aud, **claims}, kid)


def signed(claims, kid="5a1f0d"):
    header = {"alg": "RS256", "typ": "JWT"} | ({"kid": kid} if kid else {})
    signing_input = f"{b64url(compact(header))}.{b64url(compact(claims))}"
    key = serialization.load_pem_private_key(KEY_PEM.encode(), None)
    return f"{signing_input}.{b64url(key.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


# --- steps and replies -------------------------------------------------------------------------------------------

START = {"reply": "start"}
ELAPSED = {"reply": "elapsed"}
READ_ENV = {"step": "read_env", "names": NAMES}
PRODUCT_NAME = {"step": "read_file", "path": "/sys/class/dmi/id/product_name", "timeout_ms": 5000}


def env(**values):
    return {"reply": "env", "values": values}


def text(value):
    return {"reply": "text", "text": value}


def failed(kind, message="as the test wants it"):
    return {"reply": "failed", "kind": kind, "message": message}


def response(body, status=200, headers=()):
    return {"reply": "response", "status": status, "headers": [list(h) for h in headers], "body": body}


def mds(body, status=200, flavor="Google"):
    return response(body, status, [("Metadata-Flavor", flavor)] if flavor else [])


def read_file(path):
    return {"step": "read_file", "path": path, "timeout_ms": 5000}


def send(method, url, headers, body, timeout_ms, route):
    return {"step": "send", "method": method, "url": url, "headers": headers, "body": body,
            "timeout_ms": timeout_ms, "route": route, "proxy": None, "client_certificate": None}


def metadata_get(path, host="metadata.google.internal", timeout_ms=10000):
    return send("GET", f"http://{host}{path}", [["metadata-flavor", "Google"]], None, timeout_ms, "direct")


def identity(audience=AUDIENCE, host="metadata.google.internal"):
    query = urllib.parse.urlencode({"audience": audience, "format": "full"}, quote_via=urllib.parse.quote, safe="")
    return metadata_get(f"/computeMetadata/v1/instance/service-accounts/default/identity?{query}", host)


def metadata_token(query="", host="metadata.google.internal"):
    return metadata_get(f"/computeMetadata/v1/instance/service-accounts/default/token{query}", host)


def exchange(now, claims, kid="5a1f0d", url=TOKEN_URI):
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion(now, claims, kid, url)}
    headers = [["content-type", "application/x-www-form-urlencoded"], ["accept", "application/json"]]
    body = urllib.parse.urlencode(form, quote_via=urllib.parse.quote, safe="")
    return send("POST", url, headers, body, 10000, "default")


def wait(until, now=NOW):
    return {"step": "wait", "delay_ms": until - now}


def fail(code, retryable=False, claim=None):
    return {"step": "fail", "error": {"code": code, "retryable": retryable, "claim": claim}}


ADVICE = {"TOKEN_REFUSED": "check the account's key, its permissions and this machine's clock",
          "SUBJECT_TOKEN_FAILED": "check the source of the subject token that the credential file names"}


def fail_saying(code, message):
    step = fail(code)
    return step | {"error": step["error"] | {"message": f"{message} ({ADVICE[code]})"}}


def done(token, exp_ms, now, jitter, minted):
    life = exp_ms - now
    spread = jitter.up_to(min(30_000, life // 20))
    fresh = now + life // 2 - spread if minted else exp_ms - min(225_000, life // 4) - spread
    return {"step": "done", "output": {"header": f"Bearer {token}", "expires_at_ms": exp_ms, "fresh_until_ms": fresh,
                                       "fresh_until_monotonic_ms": fresh}}


def key_file(**changes):
    """A service-account file; a change to None leaves the field out."""
    fields = {"type": "service_account", "project_id": "orders-prod", "private_key_id": "5a1f0d",
              "private_key": KEY_PEM, "client_email": EMAIL, "client_id": "113774264463038321964",
              "token_uri": TOKEN_URI, "universe_domain": "googleapis.com", **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None})


# --- acquire -----------------------------------------------------------------------------------------------------

def case(name, *pairs, flags=(), options=None, kind="id_token", target=AUDIENCE):
    """`pairs` are (reply, step) or (now_ms, reply, step)."""
    transcript = [dict(zip(("now_ms", "reply", "step"), pair if len(pair) == 3 else (NOW, *pair))) for pair in pairs]
    return {"name": name, "flags": list(flags), "options": {"seed": SEED, **(options or {})},
            "kind": kind, "target": target, "transcript": transcript}


def jitters():
    """The source's own generator and that of its first operation after credentials were found."""
    source = Jitter(SEED)
    return source, source.fork()


def metadata_cases():
    host = {"GCE_METADATA_HOST": "127.0.0.1:8085"}
    at = "127.0.0.1:8085"
    exp = NOW + 3_600_000
    token = id_token(exp)
    begin = [(START, READ_ENV), (env(**host), None)]

    def by_env(name, *pairs, **more):
        first = pairs[0]
        return case(name, (START, READ_ENV), (env(**host), first), *pairs[1:], **more)

    source, _ = jitters()
    ok = done(token, exp, NOW, source, minted=False)
    yield by_env("identity from the host that GCE_METADATA_HOST names", identity(host=at), (mds(token), ok))
    yield by_env("white space around the token is not part of it", identity(host=at), (mds(f" {token}\n"), ok))
    for platform in ("K_SERVICE", "FUNCTION_NAME", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL"):
        yield case(f"{platform} says that a metadata server is there", (START, READ_ENV),
                   (env(**{platform: "orders"}), identity()), (mds(token), ok))
    yield case("METADATA_SERVER_DETECTION=assume-present", (START, READ_ENV),
               (env(METADATA_SERVER_DETECTION="assume-present"), identity()), (mds(token), ok))
    yield case("the machine's product name says Compute Engine", (START, READ_ENV),
               (env(HOME="/home/u"), read_file("/home/u/.config/gcloud/application_default_credentials.json")),
               (failed("not_found"), PRODUCT_NAME), (text("Google Compute Engine\n"), identity()), (mds(token), ok))
    yield case("a ping finds the metadata server", (START, READ_ENV), (env(), PRODUCT_NAME),
               (failed("not_found"), metadata_get("/", "169.254.169.254", 1000)), (mds("computeMetadata/\n"), identity()),
               (mds(token), ok))
    yield case("GCE_METADATA_IP is pinged, GCE_METADATA_ROOT is asked", (START, READ_ENV),
               (env(GCE_METADATA_IP="127.0.0.1:1", GCE_METADATA_ROOT=at), identity(host=at)), (mds(token), ok))
    yield case("a portal answers the ping", (START, READ_ENV), (env(), PRODUCT_NAME),
               (text("QEMU\n"), metadata_get("/", "169.254.169.254", 1000)),
               (mds("<html>", flavor=None), fail("CREDENTIALS_NOT_FOUND")), flags=["CaptivePortal"])
    yield case("nobody answers the ping", (START, READ_ENV), (env(GCE_METADATA_IP="127.0.0.1:1"), PRODUCT_NAME),
               (failed("not_found"), metadata_get("/", "127.0.0.1:1", 1000)),
               (failed("connect"), wait(NOW + 500)), (ELAPSED, metadata_get("/", "127.0.0.1:1", 2000)),
               (failed("timeout"), wait(NOW + 1000)), (ELAPSED, metadata_get("/", "127.0.0.1:1", 3000)),
               (failed("connect"), fail("CREDENTIALS_NOT_FOUND", True)))
    yield case("the metadata server starts after its machine", (START, READ_ENV), (env(), PRODUCT_NAME),
               (failed("permission_denied"), metadata_get("/", "169.254.169.254", 1000)),
               (failed("connect"), wait(NOW + 500)), (ELAPSED, metadata_get("/", "169.254.169.254", 2000)),
               (mds("starting", 503), identity()), (mds("", 200), wait(NOW + jitters()[1].up_to(250))))
    given_time = {"GCE_METADATA_TIMEOUT": "0.5"}
    yield case("GCE_METADATA_TIMEOUT", (START, READ_ENV), (env(GCE_METADATA_IP="127.0.0.1:1", **given_time), PRODUCT_NAME),
               (failed("not_found"), metadata_get("/", "127.0.0.1:1", 500)), (failed("timeout"), wait(NOW + 500)),
               (ELAPSED, metadata_get("/", "127.0.0.1:1", 500)), (mds(""), identity(host="127.0.0.1:1") | {"timeout_ms": 500}), (mds(token), ok))
    for bad in ["0", "5s", "1000"]:
        yield case(f"GCE_METADATA_TIMEOUT={bad}", (START, READ_ENV), (env(**host, GCE_METADATA_TIMEOUT=bad), fail("INVALID_OPTION")))
    for name, value in (("NO_GCE_CHECK", "true"), ("METADATA_SERVER_DETECTION", "none")):
        yield case(f"{name}={value} rules the metadata server out", (START, READ_ENV),
                   (env(**{name: value}), fail("CREDENTIALS_NOT_FOUND")))
    yield case("a scheme in GCE_METADATA_HOST", (START, READ_ENV),
               (env(GCE_METADATA_HOST="http://127.0.0.1:8085/"), identity(host=at)), (mds(token), ok))
    for bad in ["https://127.0.0.1", "127.0.0.1/x", "127.0.0.1?x", "a@127.0.0.1", "127.0.0.1 ", "2130706433"]:
        yield case(f"no host: GCE_METADATA_HOST={bad}", (START, READ_ENV), (env(GCE_METADATA_HOST=bad), fail("INVALID_OPTION")), flags=["EndpointConfusion"])
        yield case(f"no address: GCE_METADATA_IP={bad}", (START, READ_ENV), (env(GCE_METADATA_IP=bad), PRODUCT_NAME),
                   (failed("not_found"), fail("INVALID_OPTION")), flags=["EndpointConfusion"])
    reserved = "https://a.example/?x=1&format=standard#f é"
    other = id_token(exp, reserved)
    yield case("reserved characters of an audience cannot add a parameter", (START, READ_ENV),
               (env(**host), identity(reserved, at)), (mds(other), done(other, exp, NOW, jitters()[0], False)),
               target=reserved, flags=["ParameterInjection"])
    yield by_env("no Metadata-Flavor in the answer", identity(host=at),
                 (mds(token, flavor=None), fail("TOKEN_RESPONSE_INVALID")), flags=["CaptivePortal"])
    yield by_env("two Metadata-Flavor headers", identity(host=at),
                 (response(token, 200, [("Metadata-Flavor", "Google")] * 2), fail("TOKEN_RESPONSE_INVALID")))
    yield by_env("404: no service account", identity(host=at), (mds("<html>", 404), fail("TOKEN_REFUSED")))
    yield by_env("400: not linked on GKE", identity(host=at), (mds("", 400), fail("TOKEN_REFUSED")))
    yield by_env("302 to a login page", identity(host=at),
                 (response("", 302, [("Location", "http://login.example/")]), fail("REDIRECT_REFUSED")),
                 flags=["Redirect"])
    yield by_env("a token with CRLF inside", identity(host=at),
                 (mds(token[:9] + "\r\n" + token[9:]), fail("TOKEN_RESPONSE_INVALID")), flags=["HeaderInjection"])
    yield by_env("a token for another audience", identity(host=at),
                 (mds(id_token(exp, "https://evil.example")), fail("TOKEN_RESPONSE_INVALID")))
    yield by_env("a token that is issued a day ahead", identity(host=at),
                 (mds(id_token(exp + 86_400_000, iat=NOW // 1000 + 86_400)), fail("TOKEN_RESPONSE_INVALID")), flags=["ClockSkew"])
    slow = id_token(NOW + 3 * 3_600_000, iat=NOW // 1000 + 7200)
    spread = jitters()[0].up_to(30_000)
    life = {"expires_at_ms": NOW + 3 * 3_600_000, "fresh_until_ms": NOW + 3_600_000 - 225_000 - spread,
            "fresh_until_monotonic_ms": NOW + 3_600_000 - 225_000 - spread}
    yield by_env("a clock that is two hours slow makes no token live longer", identity(host=at),
                 (mds(slow), {"step": "done", "output": {"header": f"Bearer {slow}", **life}}), flags=["ClockSkew"])
    _, attempts = jitters()
    yield by_env("an empty answer is tried again", identity(host=at), (mds(" \n"), wait(NOW + attempts.up_to(250))))
    yield by_env("a step that the host does not know", identity(host=at), (failed("unsupported"), fail("UNSUPPORTED")))
    yield by_env("a reply that does not fit", identity(host=at), (ELAPSED, fail("API_MISUSE")), flags=["Misuse"])

    source, attempts = jitters()
    again = NOW + attempts.up_to(250)
    yield by_env("503, then a token", identity(host=at), (mds("", 503), wait(again)),
                 (again, ELAPSED, identity(host=at)), (again, mds(token), done(token, exp, again, source, False)))
    _, attempts = jitters()
    moments, now = [], NOW
    for longest in (250, 500, 1000):
        now += attempts.up_to(longest)
        moments.append(now)
    pairs = [identity(host=at), (failed("connect"), wait(moments[0]))]
    for index, moment in enumerate(moments):
        pairs.append((moment, ELAPSED, identity(host=at)))
        last = index == len(moments) - 1
        pairs.append((moment, failed("connect"), fail("CONNECTION_FAILED", True) if last else wait(moments[index + 1], moment)))
    yield by_env("four attempts, then the error", *pairs)
    yield by_env("Retry-After is honoured", identity(host=at),
                 (response("", 429, [("Retry-After", "7")]), wait(NOW + 7000)))
    yield by_env("a Retry-After beyond patience ends it", identity(host=at),
                 (response("", 429, [("Retry-After", "3600")]), fail("ENDPOINT_UNAVAILABLE", True)))

    access = '{"access_token":"ya29.abc","expires_in":3599,"token_type":"Bearer"}'
    expected = done("ya29.abc", NOW + 3_599_000, NOW, jitters()[0], False)
    yield by_env("an access token with scopes", metadata_token("?scopes=a%2Cb", at), (mds(access), expected),
                 kind="access_token", target="b a")
    yield by_env("an access token with the account's own scopes", metadata_token("", at), (mds(access), expected),
                 kind="access_token", target="")


def service_account_cases():
    path = "/etc/key.json"
    gac = [(START, READ_ENV), (env(GOOGLE_APPLICATION_CREDENTIALS=path), read_file(path))]
    ask = exchange(NOW, {"target_audience": AUDIENCE})
    exp = NOW + 3_600_000
    token = id_token(exp)
    answer = response(json.dumps({"id_token": token}))
    ok = done(token, exp, NOW, jitters()[0], True)
    yield case("an ID token by GOOGLE_APPLICATION_CREDENTIALS", *gac, (text(key_file()), ask), (answer, ok))
    well_known = "/home/u/.config/gcloud/application_default_credentials.json"
    yield case("an ID token by gcloud's well-known file", (START, READ_ENV), (env(HOME="/home/u"), read_file(well_known)),
               (text(key_file()), ask), (answer, ok))
    yield case("CLOUDSDK_CONFIG moves the well-known file", (START, READ_ENV),
               (env(HOME="/home/u", CLOUDSDK_CONFIG="/cfg"), read_file("/cfg/application_default_credentials.json")),
               (text(key_file()), ask), (answer, ok))
    yield case("the well-known file on Windows", (START, READ_ENV),
               (env(APPDATA="C:\\Users\\u"), read_file("C:\\Users\\u\\gcloud\\application_default_credentials.json")),
               (text(key_file()), ask), (answer, ok))
    yield case("a file that the program names", (START, READ_ENV),
               (env(GOOGLE_APPLICATION_CREDENTIALS="/not/this"), read_file("/mine.json")), (text(key_file()), ask),
               (answer, ok), options={"credentials_file": "/mine.json"})
    yield case("JSON that the program gives", (START, READ_ENV), (env(), ask), (answer, ok),
               options={"credentials_json": key_file()})
    yield case("an empty GOOGLE_APPLICATION_CREDENTIALS is not set", (START, READ_ENV),
               (env(GOOGLE_APPLICATION_CREDENTIALS="", NO_GCE_CHECK="true"), fail("CREDENTIALS_NOT_FOUND")))
    yield case("no key id: no kid in the header", (START, READ_ENV),
               (env(), exchange(NOW, {"target_audience": AUDIENCE}, kid=None)), (answer, ok),
               options={"credentials_json": key_file(private_key_id=None)})
    yield case("no token_uri: Google's own", (START, READ_ENV), (env(), ask), (answer, ok),
               options={"credentials_json": key_file(token_uri=None)})
    local = "http://127.0.0.1:8085/token"
    local_ask = exchange(NOW, {"target_audience": AUDIENCE}, url=local)
    yield case("an emulator, trusted by the environment", (START, READ_ENV),
               (env(GATEPASS_TRUSTED_ENDPOINTS="127.0.0.1:8085"), local_ask), (answer, ok),
               options={"credentials_json": key_file(token_uri=local)})
    yield case("an emulator, trusted by the program", (START, READ_ENV), (env(), local_ask), (answer, ok),
               options={"credentials_json": key_file(token_uri=local), "trusted_endpoints": ["127.0.0.1:8085"]})
    access = response('{"access_token":"ya29.abc","expires_in":"3599","token_type":"Bearer"}')
    yield case("an access token; expires_in is a string", (START, READ_ENV), (env(), exchange(NOW, {"scope": SCOPE})),
               (access, done("ya29.abc", NOW + 3_599_000, NOW, jitters()[0], True)),
               options={"credentials_json": key_file()}, kind="access_token", target=SCOPE)
    yield case("an access token without a scope", (START, READ_ENV), (env(), fail("INVALID_OPTION")),
               options={"credentials_json": key_file()}, kind="access_token", target="")

    for kind, code in (("not_found",) * 2, ("permission_denied",) * 2, ("too_large",) * 2):
        yield case(f"the credential file: {kind}", *gac, (failed(kind), fail("CREDENTIALS_FILE_UNREADABLE")))
    yield case("gcloud's file may not be read", (START, READ_ENV), (env(HOME="/home/u"), read_file(well_known)),
               (failed("permission_denied"), fail("CREDENTIALS_FILE_UNREADABLE")))
    truncated = KEY_PEM[:400]
    bad_files = {
        "not JSON": ("{", "CREDENTIALS_FILE_INVALID"), "an array": ("[]", "CREDENTIALS_FILE_INVALID"),
        "a member twice": ('{"type":"service_account","type":"x"}', "CREDENTIALS_FILE_INVALID"),
        "two documents": (key_file() + "{}", "CREDENTIALS_FILE_INVALID"),
        "no type": (key_file(type=None), "CREDENTIALS_FILE_INVALID"),
        "an unknown type": (key_file(type="service_acount"), "CREDENTIALS_TYPE_UNKNOWN"),
        "no client_email": (key_file(client_email=None), "CREDENTIALS_FILE_INVALID"),
        "a number as client_email": (key_file(client_email=1), "CREDENTIALS_FILE_INVALID"),
        "no private_key": (key_file(private_key=None), "CREDENTIALS_FILE_INVALID"),
        "a truncated private_key": (key_file(private_key=truncated), "CREDENTIALS_FILE_INVALID"),
        "another universe": (key_file(universe_domain="evil.example"), "CREDENTIALS_FILE_INVALID"),
        "an http endpoint": (key_file(token_uri="http://oauth2.googleapis.com/token"), "ENDPOINT_NOT_ALLOWED"),
        "a loopback endpoint that nobody trusts": (key_file(token_uri=local), "ENDPOINT_NOT_ALLOWED"),
        "a stranger's endpoint": (key_file(token_uri="https://evil.example/token"), "ENDPOINT_NOT_ALLOWED"),
        "an endpoint that is no string": (key_file(token_uri=5), "ENDPOINT_NOT_ALLOWED"),
        "an endpoint that is empty": (key_file(token_uri=""), "ENDPOINT_NOT_ALLOWED"),
        "64 KiB": (key_file(comment="x" * 65536), "CREDENTIALS_FILE_INVALID"),
        "UTF-16": ("\0".join(key_file()), "CREDENTIALS_FILE_INVALID"),
        "a line end in client_email": (key_file(client_email=EMAIL + "\r\nX: y"), "CREDENTIALS_FILE_INVALID"),
        "a line end in private_key_id": (key_file(private_key_id="a\nb"), "CREDENTIALS_FILE_INVALID"),
        "backslashes in the key": (key_file(private_key=KEY_PEM.replace("\n", "\\n")), "CREDENTIALS_FILE_INVALID"),
        "an OAuth client": (json.dumps({"installed": {"client_id": "1"}}), "CREDENTIALS_FILE_INVALID"),
        "a PEM key": (KEY_PEM, "CREDENTIALS_FILE_INVALID"),
    }
    for name, (content, code) in bad_files.items():
        yield case(f"a credential file with {name}", *gac, (text(content), fail(code)))

    good = {"a byte-order mark": "\ufeff" + key_file(), "null for what is optional": json.dumps(json.loads(key_file()) | {"quota_project_id": None, "universe_domain": None}),
            "empty texts for what is optional": key_file(quota_project_id="", universe_domain="")}
    for name, content in good.items():
        yield case(f"a credential file with {name}", *gac, (text(content), ask))
    for key_id in ["", None]:
        content = json.dumps(json.loads(key_file()) | {"private_key_id": key_id})
        yield case(f"a credential file with private_key_id {key_id!r}", *gac, (text(content), exchange(NOW, {"target_audience": AUDIENCE}, kid=None)))
    for given_path in ["{}", "[1]", KEY_PEM, key_file()]:
        yield case(f"a path that is none: {given_path[:8]}", (START, READ_ENV), (env(GOOGLE_APPLICATION_CREDENTIALS=given_path), fail("CREDENTIALS_FILE_UNREADABLE")),
                   flags=["SecretInMessage"])

    def answered(name, reply, step, **more):
        return case(name, (START, READ_ENV), (env(), ask), (reply, step), options={"credentials_json": key_file()}, **more)

    _, attempts = jitters()
    soon = wait(NOW + attempts.up_to(250))
    invalid = fail("TOKEN_RESPONSE_INVALID")
    yield answered("HTML", response("<html>login</html>"), invalid)
    yield answered("an empty body", response(""), soon)
    yield answered("half a document", response('{"id_token":"ey'), soon)
    yield answered("no token", response("{}"), invalid)
    yield answered("a number as token", response('{"id_token":5}'), invalid)
    yield answered("a token with a header in it", response(json.dumps({"id_token": token + "\r\nX-Evil: 1"})), invalid,
                   flags=["HeaderInjection"])
    yield answered("the token twice", response(f'{{"id_token":"x","id_token":"{token}"}}'), invalid)
    yield answered("a token that has expired", response(json.dumps({"id_token": id_token(NOW - 1000)})), soon)
    yield answered("a token for another audience", response(json.dumps({"id_token": id_token(exp, "x")})), invalid)
    yield answered("exp as text", response(json.dumps({"id_token": id_token(exp, exp=str(exp // 1000))})), invalid)
    yield answered("400 invalid_grant", response('{"error":"invalid_grant","error_description":"Invalid JWT"}', 400),
                   fail("TOKEN_REFUSED"))
    yield answered("403 of a Google front end", response('{"error":{"code":403,"status":"PERMISSION_DENIED"}}', 403),
                   fail("TOKEN_REFUSED"))
    yield answered("400 that means try again", response('{"error":"internal_failure"}', 400), soon)
    yield answered("500", response("", 500), soon)
    yield answered("501", response("", 501), fail("TOKEN_REFUSED"))
    yield answered("204", response("", 204), fail("TOKEN_REFUSED"))
    yield answered("206", response(json.dumps({"id_token": token}), 206), fail("TOKEN_REFUSED"))
    yield answered("a redirect", response("", 307, [("Location", "https://evil.example/token")]),
                   fail("REDIRECT_REFUSED"), flags=["Redirect"])
    yield answered("a body of more than 1 MiB", failed("too_large"), fail("RESPONSE_TOO_LARGE"))
    yield answered("no connection", failed("connect"), soon)
    yield answered("a certificate that is not trusted", failed("untrusted_certificate"), fail("CONNECTION_FAILED"))


# --- other credentials -------------------------------------------------------------------------------------------

STS = "https://sts.googleapis.com/v1/token"
IAM = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
TARGET = "orders@shop.iam.gserviceaccount.com"
POOL = "//iam.googleapis.com/projects/418702934/locations/global/workloadIdentityPools/pool/providers/prov"
JWT = "urn:ietf:params:oauth:token-type:jwt"
LATER = NOW + 3_600_000


def form(fields):
    return urllib.parse.urlencode(fields, quote_via=urllib.parse.quote, safe="")


def post_form(url, fields, authorization=None):
    headers = [["content-type", "application/x-www-form-urlencoded"], ["accept", "application/json"]]
    return send("POST", url, headers + authorized(authorization), form(fields), 10000, "default")


def post_json(url, body, bearer):
    headers = [["content-type", "application/json"], ["accept", "application/json"]] + authorized(f"Bearer {bearer}")
    return send("POST", url, headers, json.dumps(body, separators=(",", ":")), 10000, "default")


def authorized(value):
    return [["authorization", value]] if value else []


def by_certificate(step, paths):
    return step | {"client_certificate": paths and {"cert_path": paths[0], "key_path": paths[1]}}


def access(token="ya29.source", seconds=3599):
    return response(json.dumps({"access_token": token, "expires_in": seconds, "token_type": "Bearer"}))


def generate_id(bearer, delegates=(), email=TARGET, audience=AUDIENCE, base=IAM):
    body = {"audience": audience, "includeEmail": True} | ({"delegates": list(delegates)} if delegates else {})
    return post_json(f"{base}/{email}:generateIdToken", body, bearer)


def generate_access(bearer, scopes=(SCOPE,), lifetime="3600s", delegates=()):
    body = {"scope": list(scopes), "lifetime": lifetime} | ({"delegates": list(delegates)} if delegates else {})
    return post_json(f"{IAM}/{TARGET}:generateAccessToken", body, bearer)


def file_of(kind, **fields):
    return json.dumps({"type": kind, **{name: value for name, value in fields.items() if value is not None}})


USER = {"client_id": "1.apps.googleusercontent.com", "client_secret": "s3cret1", "refresh_token": "1//refresh"}


def refresh(scopes=(), token="1//refresh"):
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    fields |= {"scope": " ".join(scopes)} if scopes else {}
    return post_form(TOKEN_URI, fields | {"client_id": USER["client_id"], "client_secret": "s3cret1"})


def given(name, content, *pairs, options=None, environment=None, **more):
    """A case whose credentials the program gives as JSON."""
    return case(name, (START, READ_ENV), (env(**(environment or {})), pairs[0]), *pairs[1:],
                options={"credentials_json": content, **(options or {})}, **more)


def end(token, exp=LATER, now=NOW):
    return done(token, exp, now, jitters()[0], True)


def user_cases():
    user = file_of("authorized_user", **USER)
    asks = {"kind": "access_token", "target": SCOPE}
    expected = end("ya29.source", NOW + 3_599_000)
    yield given("an access token of a person", user, refresh([SCOPE]), (access(), expected), **asks)
    for token_type, outcome in {"bearer": expected, "MAC": fail("TOKEN_RESPONSE_INVALID"), "": fail("TOKEN_RESPONSE_INVALID"), 1: fail("TOKEN_RESPONSE_INVALID"),
                                None: expected}.items():
        answer = response(json.dumps({"access_token": "ya29.source", "expires_in": 3599, "token_type": token_type}))
        yield given(f"the token_type {token_type!r}", user, refresh([SCOPE]), (answer, outcome), **asks)
    yield given("a person without asked scopes", user, refresh(), (access(), expected), kind="access_token", target="")
    yield given("a person has no ID token for an audience", user, fail("ID_TOKEN_UNSUPPORTED"))
    yield given("a person impersonates: an ID token", user, refresh([SCOPE]), (access(), generate_id("ya29.source")),
                (response(json.dumps({"token": id_token(LATER)})), end(id_token(LATER))), options={"impersonate": TARGET})
    yield given("an endpoint repeats a secret", user, refresh([SCOPE]),
                (response('{"error":"invalid_client","error_description":"no client has the secret s3cret1"}', 401), fail("TOKEN_REFUSED")), **asks)
    yield given("the refresh token has been revoked", user, refresh([SCOPE]),
                (response('{"error":"invalid_grant","error_subtype":"invalid_rapt"}', 400), fail("TOKEN_REFUSED")), **asks)
    for field in USER:
        yield given(f"a person's file without {field}", file_of("authorized_user", **(USER | {field: None})),
                    fail("CREDENTIALS_FILE_INVALID"), **asks)
    workforce = file_of("external_account_authorized_user", **USER, audience="//iam.googleapis.com/locations/global/workforcePools/p/providers/q")
    basic = "Basic " + base64.b64encode(f"{USER['client_id']}:s3cret1".encode()).decode()
    fields = {"grant_type": "refresh_token", "refresh_token": "1//refresh", "scope": SCOPE}
    yield given("a person of a workforce pool", workforce, post_form("https://sts.googleapis.com/v1/oauthtoken", fields, basic),
                (access(), expected), **asks)


def impersonated_cases():
    source = {"type": "authorized_user", **USER}
    url = f"{IAM}/{TARGET}:generateAccessToken"

    def impersonated(**fields):
        return file_of("impersonated_service_account", **{"service_account_impersonation_url": url,
                                                          "source_credentials": source, **fields})

    token = id_token(LATER)
    answer = response(json.dumps({"token": token}))
    ask_source = refresh([SCOPE])
    yield given("an ID token by impersonation", impersonated(), ask_source, (access(), generate_id("ya29.source")), (answer, end(token)))
    delegates = ["first@shop.iam.gserviceaccount.com", "projects/-/serviceAccounts/second@shop.iam.gserviceaccount.com"]
    yield given("the file's delegates count for ID tokens too", impersonated(delegates=delegates), ask_source,
                (access(), generate_id("ya29.source", delegates)), (answer, end(token)))
    made = response('{"accessToken":"ya29.target","expireTime":"2027-01-15T09:00:00Z"}')
    yield given("an access token by impersonation", impersonated(delegates=delegates), ask_source,
                (access(), generate_access("ya29.source", ["a", "b"], delegates=delegates)), (made, end("ya29.target")),
                kind="access_token", target="b a")
    yield given("without a scope it is cloud-platform", impersonated(), ask_source, (access(), generate_access("ya29.source")),
                (made, end("ya29.target")), kind="access_token", target="")
    key = json.loads(key_file())
    yield given("a service-account key impersonates", impersonated(source_credentials=key), exchange(NOW, {"scope": SCOPE}),
                (access(), generate_id("ya29.source")), (answer, end(token)))
    inner = json.loads(impersonated())
    middle = json.loads(impersonated(source_credentials=inner))
    yield given("two deep", impersonated(source_credentials=inner), ask_source, (access(), generate_access("ya29.source")),
                (made, generate_id("ya29.target")), (answer, end(token)))
    yield given("three deep", impersonated(source_credentials=middle), fail("CREDENTIALS_FILE_INVALID"))
    bad = {
        "no source_credentials": {"source_credentials": None}, "a list as source": {"source_credentials": []},
        "delegates that are no list": {"delegates": "x"}, "a delegate with a line end": {"delegates": ["a@b\r\nX: y"]},
        "an URL without an account": {"service_account_impersonation_url": IAM + ":generateAccessToken"},
        "an URL of another method": {"service_account_impersonation_url": f"{IAM}/{TARGET}:signBlob"},
    }
    for name, change in bad.items():
        code = "ENDPOINT_NOT_ALLOWED" if "URL" in name else "CREDENTIALS_FILE_INVALID"
        yield given(f"impersonation with {name}", impersonated(**change), fail(code))
    for name, bad_url in {"http": url.replace("https", "http"), "a stranger": f"https://evil.example/serviceAccounts/{TARGET}:generateAccessToken",
                          "user information": url.replace("https://", "https://a@"), "a look-alike": url.replace(".com", ".com.evil.example", 1)}.items():
        yield given(f"an impersonation URL with {name}", impersonated(service_account_impersonation_url=bad_url), fail("ENDPOINT_NOT_ALLOWED"))
    denied = response('{"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED"}}', 403)
    yield given("the source may not impersonate", impersonated(), ask_source, (access(), generate_id("ya29.source")), (denied, fail("TOKEN_REFUSED")))
    yield given("no expireTime", impersonated(), ask_source, (access(), generate_access("ya29.source")),
                (response('{"accessToken":"ya29.target"}'), fail("TOKEN_RESPONSE_INVALID")), kind="access_token", target="")
    at = "127.0.0.1:8085"
    found = env(GCE_METADATA_HOST=at)
    options = {"impersonate": TARGET, "delegates": delegates}
    yield case("impersonation by option, from a metadata server", (START, READ_ENV), (found, metadata_token("?" + form({"scopes": SCOPE}), at)),
               (mds('{"access_token":"ya29.source","expires_in":3599}'), generate_id("ya29.source", delegates)), (answer, end(token)), options=options)
    local = "http://127.0.0.1:8085/v1/projects/-/serviceAccounts"
    yield given("impersonation at an endpoint that the user has set", file_of("authorized_user", **USER), ask_source,
                (access(), generate_id("ya29.source", base=local)), (answer, end(token)), options={"impersonate": TARGET},
                environment={"CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS": "http://127.0.0.1:8085/",
                             "GATEPASS_TRUSTED_ENDPOINTS": "127.0.0.1:8085"})
    yield given("impersonation of something else than an account", file_of("authorized_user", **USER), fail("INVALID_OPTION"),
                options={"impersonate": "orders/../evil"}, flags=["PathInjection"])


def external(source, **fields):
    defaults = {"audience": POOL, "subject_token_type": JWT, "token_url": STS, "credential_source": source,
                "service_account_impersonation_url": f"{IAM}/{TARGET}:generateAccessToken"}
    return file_of("external_account", **(defaults | fields))


def sts(subject_token, scopes=(SCOPE,), token_type=JWT, audience=POOL, authorization=None, options=None, certificate=None):
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": audience,
              "scope": " ".join(scopes), "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
              "subject_token_type": token_type, "subject_token": subject_token} | ({"options": options} if options else {})
    return by_certificate(post_form(STS, fields, authorization), certificate)


def external_cases():
    token = id_token(LATER)
    answer = response(json.dumps({"token": token}))
    federated = access("federated")
    path = {"file": "/var/run/token"}
    read = read_file("/var/run/token")
    ok = [(federated, generate_id("federated")), (answer, end(token))]
    yield given("an ID token from a file", external(path), read, (text("subject\n"), sts("subject")), *ok)
    made = response('{"accessToken":"ya29.target","expireTime":"2027-01-15T09:00:00Z"}')
    yield given("an access token from a file", external(path), read, (text("subject"), sts("subject")),
                (federated, generate_access("federated")), (made, end("ya29.target")), kind="access_token", target=SCOPE)
    lifetime = external(path, service_account_impersonation={"token_lifetime_seconds": 600})
    yield given("a configured lifetime", lifetime, read, (text("subject"), sts("subject")),
                (federated, generate_access("federated", lifetime="600s")),
                (response('{"accessToken":"ya29.target","expireTime":"2027-01-15T08:10:00Z"}'), end("ya29.target", NOW + 600_000)), kind="access_token", target=SCOPE)
    yield given("a clock that is slow makes no token live longer than asked", lifetime, read, (text("subject"), sts("subject")),
                (federated, generate_access("federated", lifetime="600s")), (made, end("ya29.target", NOW + 600_000)), kind="access_token", target=SCOPE, flags=["ClockSkew"])
    alone = external(path, service_account_impersonation_url=None)
    yield given("a federated access token", alone, read, (text("subject"), sts("subject", ["a", "b"])),
                (federated, end("federated", NOW + 3_599_000)), kind="access_token", target="a b")
    yield given("without expires_in a token is kept for a minute", alone, read, (text("subject"), sts("subject")),
                (response('{"access_token":"federated"}'), end("federated", NOW + 60_000)), kind="access_token", target=SCOPE)
    yield given("a federated identity has no ID token of its own", alone, fail("ID_TOKEN_UNSUPPORTED"))
    as_json = {"file": "/var/run/token", "format": {"type": "json", "subject_token_field_name": "value"}}
    yield given("a file with JSON", external(as_json), read, (text('{"value":"subject"}'), sts("subject")), *ok)
    yield given("a file with other JSON", external(as_json), read, (text('{"token":"subject"}'), fail("SUBJECT_TOKEN_FAILED")))
    yield given("an empty file", external(path), read, (text(" \n"), fail("SUBJECT_TOKEN_FAILED")))
    yield given("no file", external(path), read, (failed("not_found"), fail("SUBJECT_TOKEN_FAILED")))
    basic = "Basic " + base64.b64encode(b"client:secret").decode()
    yield given("a client authenticates itself", external(path, client_id="client", client_secret="secret"), read,
                (text("subject"), sts("subject", authorization=basic)), *ok)
    nulls = {"file": "/var/run/token", "url": None, "headers": None, "format": None, "executable": ""}
    yield given("null and empty texts for what is optional", json.dumps(json.loads(external(nulls)) | {"client_id": None, "workforce_pool_user_project": "",
                "service_account_impersonation": None, "quota_project_id": ""}), read, (text("subject"), sts("subject")), *ok)
    workforce = "//iam.googleapis.com/locations/global/workforcePools/p/providers/q"
    yield given("a workforce pool's user project", external(path, audience=workforce, workforce_pool_user_project="p1"), read,
                (text("subject"), sts("subject", audience=workforce, options='{"userProject":"p1"}')), *ok)
    yield given("a user project without a workforce pool", external(path, workforce_pool_user_project="p1"), fail("CREDENTIALS_FILE_INVALID"))
    denied = response('{"error":"invalid_grant","error_description":"The token is expired."}', 400)
    yield given("STS refuses", external(path), read, (text("subject"), sts("subject")), (denied, fail("TOKEN_REFUSED")))

    url = {"url": "http://169.254.169.254/metadata/identity?x=1", "headers": {"Metadata": "True"},
           "format": {"type": "json", "subject_token_field_name": "access_token"}}
    get = send("GET", url["url"], [["Metadata", "True"]], None, 10000, "default")
    yield given("a URL, as on Azure", external(url), get, (response('{"access_token":"subject"}'), sts("subject")), *ok)
    yield given("a URL that refuses", external(url), get, (response("", 403), fail("SUBJECT_TOKEN_FAILED")))

    allowed = {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}
    ask = {"step": "read_env", "names": ["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"]}
    program = {"executable": {"command": "/bin/token --json", "timeout_millis": 5000}}

    def run(output_file=None, timeout_ms=5000):
        names = {"AUDIENCE": POOL, "TOKEN_TYPE": JWT, "INTERACTIVE": "0", "IMPERSONATED_EMAIL": TARGET}
        names |= {"OUTPUT_FILE": output_file} if output_file else {}
        return {"step": "run", "argv": ["/bin/token", "--json"], "timeout_ms": timeout_ms,
                "env": [[f"GOOGLE_EXTERNAL_ACCOUNT_{name}", value] for name, value in names.items()]}

    def printed(status=0, **changes):
        fields = {"version": 1, "success": True, "token_type": JWT, "id_token": "subject", **changes}
        return {"reply": "exited", "status": status, "stdout": json.dumps({n: v for n, v in fields.items() if v is not None}), "stderr": ""}

    yield given("a program", external(program), ask, (env(**allowed), run()), (printed(), sts("subject")), *ok)
    yield given("a program that the environment does not allow", external(program), ask, (env(), fail("EXECUTABLE_NOT_ALLOWED")), flags=["CommandExecution"])
    yield given("only 1 allows", external(program), ask,
                (env(GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES="true"), fail("EXECUTABLE_NOT_ALLOWED")), flags=["CommandExecution"])
    answers = {
        "fails": printed(success=False, code="401", message="not today"), "ends with 1": printed(status=1),
        "prints another version": printed(version=2), "prints no token": printed(id_token=None),
        "prints an unknown token_type": printed(token_type="x"), "prints an expired token": printed(expiration_time=NOW // 1000 - 1),
        "prints no JSON": {"reply": "exited", "status": 0, "stdout": "subject", "stderr": ""}, "runs out of time": failed("timeout"),
        "does not exist": failed("not_found"),
    }
    for name, reply in answers.items():
        yield given(f"a program that {name}", external(program), ask, (env(**allowed), run()), (reply, fail("SUBJECT_TOKEN_FAILED")))
    kept = {"executable": {"command": "/bin/token --json", "output_file": "/tmp/out"}}
    fresh = printed(expiration_time=NOW // 1000 + 60)["stdout"]
    old = printed(expiration_time=NOW // 1000 - 60)["stdout"]
    yield given("a program's output file is still good", external(kept), ask, (env(**allowed), read_file("/tmp/out")), (text(fresh), sts("subject")), *ok)
    yield given("a program's output file is old", external(kept), ask, (env(**allowed), read_file("/tmp/out")),
                (text(old), run("/tmp/out", 30000)), ({"reply": "exited", "status": 0, "stdout": "", "stderr": ""}, read_file("/tmp/out")), (text(fresh), sts("subject")), *ok)
    yield given("a program that prints its answer although an output file is named", external(kept), ask,
                (env(**allowed), read_file("/tmp/out")), (failed("not_found"), run("/tmp/out", 30000)), (printed(), sts("subject")), *ok)
    quoted = {"executable": {"command": "\"/bin/token\" '--json'", "timeout_millis": 5000}}
    yield given("a program whose command is quoted", external(quoted), ask, (env(**allowed), run()), (printed(), sts("subject")), *ok)
    yield given("a program that says why it ended with 3", external(program), ask, (env(**allowed), run()),
                (printed(status=3, success=False, code="401", message="not today"), fail("SUBJECT_TOKEN_FAILED")))
    complaint = {"reply": "exited", "status": 1, "stdout": "", "stderr": "Traceback\nlogin failed\n"}
    yield given("a program that complains", external(program), ask, (env(**allowed), run()), (complaint, fail("SUBJECT_TOKEN_FAILED")))
    yield given("a program's output file is malformed", external(kept), ask, (env(**allowed), read_file("/tmp/out")), (text("x"), fail("SUBJECT_TOKEN_FAILED")))

    yield given("the user's own supplier", external({"supplier": "mine"}),
                {"step": "supply", "supplier": "mine", "audience": POOL, "token_type": JWT, "timeout_ms": 30000}, (text("subject"), sts("subject")), *ok)
    yield given("a supplier that fails", external({"supplier": "mine"}),
                {"step": "supply", "supplier": "mine", "audience": POOL, "token_type": JWT, "timeout_ms": 30000}, (failed("other"), fail("SUBJECT_TOKEN_FAILED")))

    mtls = "urn:ietf:params:oauth:token-type:mtls"
    config = json.dumps({"cert_configs": {"workload": {"cert_path": "/c.pem", "key_path": "/k.pem"}}})
    leaf, root = (base64.b64encode(name).decode() for name in (b"leaf certificate", b"root certificate"))
    pem = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n".format
    files = ("/c.pem", "/k.pem")
    source = {"certificate": {"certificate_config_location": "/config.json", "trust_chain_path": "/chain.pem"}}
    presented = by_certificate(generate_id("federated"), files)
    yield given("a certificate with its chain", external(source, subject_token_type=mtls), read_file("/config.json"),
                (text(config), read_file("/c.pem")), (text(pem(leaf)), read_file("/chain.pem")),
                (text(pem(leaf) + pem(root)), sts(json.dumps([leaf, root], separators=(",", ":")), token_type=mtls, certificate=files)),
                (federated, presented), (answer, end(token)))
    yield given("a certificate within its chain", external(source, subject_token_type=mtls), read_file("/config.json"),
                (text(config), read_file("/c.pem")), (text(pem(leaf)), read_file("/chain.pem")), (text(pem(root) + pem(leaf)), fail("SUBJECT_TOKEN_FAILED")))
    default = {"certificate": {"use_default_certificate_config": True}}
    names = {"step": "read_env", "names": ["GOOGLE_API_CERTIFICATE_CONFIG", "CLOUDSDK_CONFIG", "APPDATA", "HOME"]}
    yield given("a certificate at the default location", external(default, subject_token_type=mtls), names,
                (env(HOME="/home/u"), read_file("/home/u/.config/gcloud/certificate_config.json")), (text(config), read_file("/c.pem")),
                (text(pem(leaf)), sts(json.dumps([leaf]), token_type=mtls, certificate=files)), (federated, presented), (answer, end(token)))

    yield given("a certificate that is refused and has not changed", external(default, subject_token_type=mtls), names,
                  (env(HOME="/home/u"), read_file("/home/u/.config/gcloud/certificate_config.json")), (text(config), read_file("/c.pem")),
                  (text(pem(leaf)), sts(json.dumps([leaf]), token_type=mtls, certificate=files)), (response("", 401), names),
                  (env(HOME="/home/u"), read_file("/home/u/.config/gcloud/certificate_config.json")), (text(config), read_file("/c.pem")),
                  (text(pem(leaf)), fail("TOKEN_REFUSED")))
    new = base64.b64encode(b"new certificate").decode()
    yield given("a certificate that was replaced meanwhile", external(default, subject_token_type=mtls), names,
                (env(HOME="/home/u"), read_file("/home/u/.config/gcloud/certificate_config.json")), (text(config), read_file("/c.pem")),
                (text(pem(leaf)), sts(json.dumps([leaf]), token_type=mtls, certificate=files)), (response("", 401), names),
                (env(HOME="/home/u"), read_file("/home/u/.config/gcloud/certificate_config.json")), (text(config), read_file("/c.pem")),
                (text(pem(new)), sts(json.dumps([new]), token_type=mtls, certificate=files)), (federated, presented), (answer, end(token)))

    yield from aws_cases(ok)

    bad = {
        "no source": {"x": 1}, "two sources": {"file": "/a", "url": "https://a.example/"}, "a URL of a file": {"url": "file:///etc/passwd"},
        "Google's metadata server": {"url": "http://metadata.google.internal/computeMetadata/v1/"},
        "an unprotected URL": {"url": "http://idp.example/t"}, "a header with a line end": {"url": "https://idp.example/t", "headers": {"X\r\nY": "a"}},
        "an unknown format": {"file": "/x", "format": {"type": "xml"}}, "a file of the system": {"file": "/proc/self/environ"},
        "a program with an endless timeout": {"executable": {"command": "/bin/true", "timeout_millis": 10**12}},
        "a control character in a path": {"file": "/run/\nx"}, "JSON for a path": {"file": "{}"},
        "a certificate without a place": {"certificate": {}}, "a newer AWS": {"environment_id": "aws2"},
    }
    for name, source in bad.items():
        yield given(f"a source with {name}", external(source), fail("CREDENTIALS_FILE_INVALID"))
    yield given("an unknown subject token type", external(path, subject_token_type="urn:x"), fail("CREDENTIALS_FILE_INVALID"))
    yield given("a stranger's STS", external(path, token_url="https://evil.example/token"), fail("ENDPOINT_NOT_ALLOWED"))
    yield given("no STS", external(path, token_url=None) .replace('"token_url": null', ''), read, (text("subject"), sts("subject")), *ok)


ASK_AWS = {"step": "read_env", "names": ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                                         "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_ENDPOINT_URL_STS",
                                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                         "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]}


def aws_cases(ok):
    """Keys and region from the environment, or from an instance's metadata service."""
    aws4 = "urn:ietf:params:aws:token-type:aws4_request"
    here = "http://169.254.169.254/latest"
    source = {"environment_id": "aws1", "region_url": f"{here}/meta-data/placement/availability-zone",
              "url": f"{here}/meta-data/iam/security-credentials", "imdsv2_session_token_url": f"{here}/api/token",
              "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}
    account = external(source, subject_token_type=aws4)
    ask = ASK_AWS
    keys = {"AWS_ACCESS_KEY_ID": "AKIDDEMO", "AWS_SECRET_ACCESS_KEY": "SECRETDEMO", "AWS_SESSION_TOKEN": "SESSDEMO"}
    signed = sts(signed_request("eu-west-1"), token_type=aws4)
    yield given("AWS: all from the environment", account, ask, (env(AWS_REGION="eu-west-1", **keys), signed), *ok)

    def imds(path, method="GET"):
        header = ["x-aws-ec2-metadata-token", "session"] if method == "GET" else ["x-aws-ec2-metadata-token-ttl-seconds", "300"]
        return send(method, f"{here}/{path}", [header], None, 3000, "direct")

    answer = json.dumps({"AccessKeyId": "AKIDDEMO", "SecretAccessKey": "SECRETDEMO", "Token": "SESSDEMO"})
    yield given("AWS: all from an instance", account, ask, (env(), imds("api/token", "PUT")),
                (response("session"), imds("meta-data/placement/availability-zone")),
                (response("eu-west-1b"), imds("meta-data/iam/security-credentials")),
                (response("role"), imds("meta-data/iam/security-credentials/role")), (response(answer), signed), *ok)
    yield given("AWS: the region from an instance", account, ask, (env(**keys), imds("api/token", "PUT")),
                (response("session"), imds("meta-data/placement/availability-zone")), (response("eu-west-1b"), signed), *ok)
    yield given("AWS: a region that would be a host", account, ask, (env(AWS_REGION="evil.example/", **keys), fail("SUBJECT_TOKEN_FAILED")))
    yield given("AWS: no metadata service", account, ask, (env(), imds("api/token", "PUT")), (response("", 404), fail("SUBJECT_TOKEN_FAILED")))
    elsewhere = external(source | {"imdsv2_session_token_url": "http://evil.example/token"}, subject_token_type=aws4)
    yield given("AWS: a metadata service elsewhere", elsewhere, fail("CREDENTIALS_FILE_INVALID"))

    # Containers: ECS and Fargate name a path, EKS Pod Identity a URL and a file with a token.
    plain = external({"environment_id": "aws1"}, subject_token_type=aws4)
    region = {"AWS_REGION": "eu-west-1"}
    agent = lambda url, token=None: send("GET", url, [["authorization", token]] if token else [], None, 3000, "direct")
    ecs = region | {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/c0ffee"}
    yield given("AWS: keys of an ECS task", plain, ask, (env(**ecs), agent("http://169.254.170.2/v2/credentials/c0ffee")), (response(answer), signed), *ok)
    eks = region | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/var/run/pod-token"}
    yield given("AWS: keys of an EKS pod", plain, ask, (env(**eks), read_file("/var/run/pod-token")),
                (text("s3cret-of-a-pod\n"), agent("http://169.254.170.23/v1/credentials", "s3cret-of-a-pod")), (response(answer), signed), *ok)
    yield given("AWS: an EKS pod whose token has gone", plain, ask, (env(**eks), read_file("/var/run/pod-token")), (failed("not_found"), fail("SUBJECT_TOKEN_FAILED")))
    yield given("AWS: an agent that refuses", plain, ask, (env(**eks), read_file("/var/run/pod-token")),
                (text("s3cret-of-a-pod"), agent("http://169.254.170.23/v1/credentials", "s3cret-of-a-pod")),
                (response('{"code":"AccessDenied","message":"no s3cret-of-a-pod here"}', 403), fail("SUBJECT_TOKEN_FAILED")))
    near = region | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1338/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "s3cret-of-a-task"}
    yield given("AWS: keys of a sidecar", plain, ask, (env(**near), agent("http://127.0.0.1:1338/x", "s3cret-of-a-task")), (response(answer), signed), *ok)
    yield given("AWS: an agent elsewhere by http", plain, ask,
                (env(**region, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://evil.example/x"), fail("SUBJECT_TOKEN_FAILED")), flags=["UntrustedEndpoint"])
    yield given("AWS: no keys anywhere", plain, ask, (env(**region), fail("SUBJECT_TOKEN_FAILED")))
    yield given("AWS: keys in the environment come first", plain, ask, (env(**ecs, **keys), signed), *ok)

    # A web identity, as on EKS with IAM roles for service accounts: AWS's STS gives keys for it.
    role = "arn:aws:iam::123456789012:role/orders"
    irsa = region | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/web-token", "AWS_ROLE_ARN": role}
    def assume(session_name, url="https://sts.eu-west-1.amazonaws.com/"):
        form = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": session_name, "WebIdentityToken": "web"}
        return post_form(url, form)
    assumed = {"AccessKeyId": "AKIDDEMO", "SecretAccessKey": "SECRETDEMO", "SessionToken": "SESSDEMO", "Expiration": 1800003600.0}
    assumed = json.dumps({"AssumeRoleWithWebIdentityResponse": {"AssumeRoleWithWebIdentityResult": {"Credentials": assumed}}})
    yield given("AWS: a web identity's role", plain, ask, (env(**irsa), read_file("/var/run/web-token")), (text("web\n"), assume("gatepass")), (response(assumed), signed), *ok)
    yield given("AWS: a web identity's role, with a session's name", plain, ask, (env(**irsa, AWS_ROLE_SESSION_NAME="mine"), read_file("/var/run/web-token")),
                (text("web"), assume("mine")), (response(assumed), signed), *ok)
    for url in ["https://sts.aws.example/", "http://127.0.0.1:8085/"]:
        yield given(f"AWS: a web identity's role from {url}", plain, ask, (env(**irsa, AWS_ENDPOINT_URL_STS=url), read_file("/var/run/web-token")),
                    (text("web"), assume("gatepass", url)), (response(assumed), signed), *ok)
    for url in ["http://sts.aws.example/", "sts.aws.example", "http://127.0.0.1.evil.example/"]:
        yield given(f"AWS: a web identity's token must not go to {url}", plain, ask, (env(**irsa, AWS_ENDPOINT_URL_STS=url), fail("SUBJECT_TOKEN_FAILED")),
                    flags=["UntrustedEndpoint"])
    yield given("AWS: a web identity that STS refuses", plain, ask, (env(**irsa), read_file("/var/run/web-token")), (text("web"), assume("gatepass")),
                (response('{"Error":{"Code":"InvalidIdentityToken","Message":"No provider"}}', 400), fail("SUBJECT_TOKEN_FAILED")))

    # The user's own function.
    supplied = external({"environment_id": "aws1", "supplier": "keys"}, subject_token_type=aws4)
    supply = {"step": "supply", "supplier": "keys", "audience": POOL, "token_type": aws4, "timeout_ms": 30000}
    yield given("AWS: keys of the user's own supplier", supplied, ask, (env(), supply),
                (text(json.dumps(json.loads(answer) | {"Region": "eu-west-1"})), signed), *ok)
    yield given("AWS: keys of the user's own supplier, the region from the environment", supplied, ask, (env(**region), supply), (text(answer), signed), *ok)
    yield given("AWS: a supplier of keys that fails", supplied, ask, (env(**region), supply), (failed("other"), fail("SUBJECT_TOKEN_FAILED")))
    yield given("AWS: a supplier that gives no keys", supplied, ask, (env(**region), supply), (text("{}"), fail("SUBJECT_TOKEN_FAILED")))


def signed_request(region):
    """AWS Signature Version 4 of GetCallerIdentity (AWS documentation, "Signing AWS API requests")."""
    host, moment = f"sts.{region}.amazonaws.com", "20270115T080000Z"
    query = "Action=GetCallerIdentity&Version=2011-06-15"
    headers = [("host", host), ("x-amz-date", moment), ("x-amz-security-token", "SESSDEMO"), ("x-goog-cloud-target-resource", POOL)]
    names = ";".join(name for name, _ in headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers)
    digest = lambda bytes: hashlib.sha256(bytes).hexdigest()
    canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{digest(b'')}"
    scope = f"{moment[:8]}/{region}/sts/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest(canonical.encode())}"
    key = b"AWS4SECRETDEMO"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers.append(("authorization", f"AWS4-HMAC-SHA256 Credential=AKIDDEMO/{scope}, SignedHeaders={names}, Signature={signature}"))
    request = {"body": "", "headers": [{"key": name, "value": value} for name, value in headers], "method": "POST", "url": f"https://{host}?{query}"}
    return urllib.parse.quote(json.dumps(request, separators=(",", ":")), safe="")


SERVICE = "https://secretmanager.googleapis.com/"
PERSON = "person@shop.example"
UNIVERSE = "cloud.example"


def sign_jwt(bearer, payload, email=TARGET, delegates=()):
    payload = compact(payload).decode()
    return post_json(f"{IAM}/{email}:signJwt", {"payload": payload} | ({"delegates": list(delegates)} if delegates else {}), bearer)


def redeem(jwt, url=TOKEN_URI):
    return post_form(url, {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": jwt})


def self_signed_cases():
    """JWTs that are themselves the credential, and domain-wide delegation."""
    user = file_of("authorized_user", **USER)
    jwt = {"kind": "self_signed_jwt", "target": SERVICE}
    scoped = {"kind": "access_token", "target": SCOPE}
    own = signed({**lived(NOW), "sub": EMAIL, "aud": SERVICE})
    yield given("a key signs for an API", key_file(), end(own), **jwt)
    yield given("a key without an id", key_file(private_key_id=None), end(signed({**lived(NOW), "sub": EMAIL, "aud": SERVICE}, None)), **jwt)
    by_scope = signed({**lived(NOW), "sub": EMAIL, "scope": SCOPE})
    yield given("a key signs access tokens", key_file(), end(by_scope), options={"self_signed_access_tokens": True}, **scoped)
    yield given("a key signs no access token without a scope", key_file(), fail("INVALID_OPTION"),
                options={"self_signed_access_tokens": True}, kind="access_token", target="")
    yield given("a person has no key", user, fail("SELF_SIGNED_JWT_UNSUPPORTED"), **jwt)
    yield given("a federated identity has no key", external({"file": "/x"}, service_account_impersonation_url=None), fail("SELF_SIGNED_JWT_UNSUPPORTED"), **jwt)
    yield case("the metadata server gives no key", (START, READ_ENV), (env(K_SERVICE="orders"), fail("SELF_SIGNED_JWT_UNSUPPORTED")), **jwt)

    claims = {**lived(NOW, TARGET), "sub": TARGET, "aud": SERVICE}
    by_iam = signed(claims)
    options = {"impersonate": TARGET}
    answer = response(json.dumps({"keyId": "k", "signedJwt": by_iam}))
    yield given("IAM signs for an impersonated account", user, refresh([SCOPE]), (access(), sign_jwt("ya29.source", claims)),
                (answer, end(by_iam)), options=options, **jwt)
    delegates = ["first@shop.iam.gserviceaccount.com"]
    yield given("IAM signs by delegates", user, refresh([SCOPE]), (access(), sign_jwt("ya29.source", claims, delegates=delegates)),
                (answer, end(by_iam)), options=options | {"delegates": delegates}, **jwt)
    yield given("IAM signs for a federated identity", external({"file": "/var/run/token"}), read_file("/var/run/token"),
                (text("subject"), sts("subject")), (access("federated"), sign_jwt("federated", claims)), (answer, end(by_iam)), **jwt)
    for name, reply, code in (("nothing", response("{}"), "TOKEN_RESPONSE_INVALID"), ("other claims", response(json.dumps({"signedJwt": id_token(LATER)})), "TOKEN_RESPONSE_INVALID"),
                              ("403", response('{"error":{"code":403,"status":"PERMISSION_DENIED"}}', 403), "TOKEN_REFUSED")):
        yield given(f"IAM answers signJwt with {name}", user, refresh([SCOPE]), (access(), sign_jwt("ya29.source", claims)), (reply, fail(code)), options=options, **jwt)

    subject = {"subject": PERSON}
    made = access("ya29.person", 3600)
    yield given("a key acts for a person", key_file(), exchange(NOW, {"scope": SCOPE, "sub": PERSON}), (made, end("ya29.person")), options=subject, **scoped)
    yield given("a key acts for a person even if it signs access tokens", key_file(), exchange(NOW, {"scope": SCOPE, "sub": PERSON}),
                (made, end("ya29.person")), options=subject | {"self_signed_access_tokens": True}, **scoped)
    delegated = {**lived(NOW, TARGET), "aud": TOKEN_URI, "scope": SCOPE, "sub": PERSON}
    signed_by_iam = signed(delegated)
    answer = response(json.dumps({"signedJwt": signed_by_iam}))
    yield given("an impersonated account acts for a person", user, refresh([SCOPE]), (access(), sign_jwt("ya29.source", delegated)),
                (answer, redeem(signed_by_iam)), (made, end("ya29.person")), options=options | subject, **scoped)
    yield given("the domain has not delegated", user, refresh([SCOPE]), (access(), sign_jwt("ya29.source", delegated)), (answer, redeem(signed_by_iam)),
                (response('{"error":"unauthorized_client"}', 401), fail("TOKEN_REFUSED")), options=options | subject, **scoped)
    local = "http://127.0.0.1:8085/token"
    elsewhere = delegated | {"aud": local}
    yield given("a token endpoint that the user has set", user, post_form(local, {"grant_type": "refresh_token", "refresh_token": "1//refresh", "scope": SCOPE,
                "client_id": USER["client_id"], "client_secret": "s3cret1"}), (access(), sign_jwt("ya29.source", elsewhere)),
                (response(json.dumps({"signedJwt": signed(elsewhere)})), redeem(signed(elsewhere), local)), (made, end("ya29.person")),
                options=options | subject, environment={"CLOUDSDK_AUTH_TOKEN_HOST": local, "GATEPASS_TRUSTED_ENDPOINTS": "127.0.0.1:8085"}, **scoped)
    yield given("a token endpoint that nobody trusts", user, fail("ENDPOINT_NOT_ALLOWED"), environment={"CLOUDSDK_AUTH_TOKEN_HOST": local}, **scoped)
    for name, content in {"a key": key_file(), "an impersonated account": file_of("impersonated_service_account",
                          service_account_impersonation_url=f"{IAM}/{TARGET}:generateAccessToken", source_credentials={"type": "authorized_user", **USER})}.items():
        pairs = [fail("SUBJECT_UNSUPPORTED")]
        yield given(f"{name} has no ID token for a person", content, *pairs, options=subject)
    yield given("a person acts for no other", user, fail("SUBJECT_UNSUPPORTED"), options=subject, **scoped)
    yield given("a federated identity acts for nobody", external({"file": "/x"}, service_account_impersonation_url=None), fail("SUBJECT_UNSUPPORTED"), options=subject, **scoped)
    yield case("the metadata server acts for nobody", (START, READ_ENV), (env(K_SERVICE="orders"), fail("SUBJECT_UNSUPPORTED")), options=subject, **scoped)


def endpoint_cases():
    """One case per row of the table of endpoints (docs/adr/0004), and one per way around it."""
    scoped = {"kind": "access_token", "target": SCOPE}
    file = {"file": "/var/run/token"}
    read = read_file("/var/run/token")
    named = {"options": {"universe_domain": "apis.example"}}

    def leads(service, url, **more):
        """A file that names this URL, and what is sent there."""
        name = f"{service}: {url}"
        if service == "token":
            key = json.dumps(json.loads(key_file(token_uri=url)))
            return given(name, key, exchange(NOW, {"scope": SCOPE}, url=url), **scoped, **more)
        if service == "login":
            workforce = "//iam.googleapis.com/locations/global/workforcePools/p/providers/q"
            content = file_of("external_account_authorized_user", **USER, audience=workforce, token_url=url)
            basic = "Basic " + base64.b64encode(f"{USER['client_id']}:s3cret1".encode()).decode()
            fields = {"grant_type": "refresh_token", "refresh_token": "1//refresh", "scope": SCOPE}
            return given(name, content, post_form(url, fields, basic), **scoped, **more)
        if service == "sts":
            content = external(file, service_account_impersonation_url=None, token_url=url)
            return given(name, content, read, (text("subject"), sts("subject") | {"url": url}), **scoped, **more)
        method = url.rsplit(":", 1)[0] + ":generateAccessToken"
        return given(name, external(file, service_account_impersonation_url=url), read, (text("subject"), sts("subject")),
                     (access("federated"), generate_access("federated") | {"url": method}), **scoped, **more)

    account = f"v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
    table = {
        "token": ("oauth2", "token", ["{}", "{}.mtls", "{}-mine.p"]),
        "sts": ("sts", "v1/token", ["{}", "{}.mtls", "{}.us-central1.rep", "us-central1-{}", "{}-mine.p"]),
        "login": ("sts", "v1/oauthtoken", ["{}", "{}.mtls", "{}.us-central1.rep", "us-central1-{}", "{}-mine.p"]),
        "impersonation": ("iamcredentials", account, ["{}", "{}.mtls", "{}.us-central1.rep", "us-central1-{}", "{}-mine.p"]),
    }
    for service, (host, path, forms) in table.items():
        for form_ in forms:
            yield leads(service, f"https://{form_.format(host)}.googleapis.com/{path}")
        yield leads(service, f"https://{host}.apis.example/{path}", **named)
    for old in ["accounts.google.com/o/oauth2/token", "www.googleapis.com/oauth2/v3/token", "www.googleapis.com/oauth2/v4/token"]:
        yield leads("token", f"https://{old}")
    for trusted, url in [("127.0.0.1:8085", "http://127.0.0.1:8085/token"), ("emulator:8085", "http://emulator:8085/token"),
                         ("https://sts.example", "https://sts.example/x?y"), ("http://10.0.0.1:8085", "http://10.0.0.1:8085/token")]:
        yield leads("token", url, environment={"GATEPASS_TRUSTED_ENDPOINTS": trusted})

    def refused(service, url, flag, **more):
        content = {
            "token": lambda: json.dumps(json.loads(key_file(token_uri=url))),
            "login": lambda: file_of("external_account_authorized_user", **USER, token_url=url),
            "person": lambda: file_of("authorized_user", **USER, token_uri=url),
            "sts": lambda: external({"file": "/etc/passwd"}, token_url=url, service_account_impersonation_url=None),
            "impersonation": lambda: external(file, service_account_impersonation_url=url),
        }[service]()
        return given(f"{service}, refused: {url}", content, fail("ENDPOINT_NOT_ALLOWED"), flags=[flag], **scoped, **more)

    stores = ["https://storage.googleapis.com/upload/storage/v1/b/bucket/o?uploadType=media&name=loot",
              "https://bucket.storage.googleapis.com/loot?x-goog-signature=presigned", "https://bucket.storage.googleapis.com/token",
              "https://firebasestorage.googleapis.com/v0/b/bucket/o?name=loot", "https://www.googleapis.com/upload/storage/v1/b/bucket/o",
              "https://script.googleapis.com/v1/scripts/deployment:run", "https://storage.mtls.googleapis.com/v1/token"]
    for service in ["token", "person", "sts", "login"]:
        for url in stores:
            yield refused(service, url, "SecretToStranger")
    yield refused("impersonation", f"https://storage.googleapis.com/bucket/v1/serviceAccounts/{TARGET}:generateAccessToken", "SecretToStranger")
    yield refused("impersonation", f"https://storage.googleapis.com/{account}", "SecretToStranger")
    yield refused("impersonation", f"https://iamcredentials.googleapis.com/x/../{account}", "PathInjection")
    yield refused("impersonation", f"https://iamcredentials.googleapis.com/{account}?x", "PathInjection")
    good = {"token": TOKEN_URI, "sts": STS, "login": STS.replace("token", "oauthtoken")}
    for service, url in good.items():
        for other in [v for k, v in good.items() if k != service]:
            yield refused(service, other, "WrongEndpoint")
        for changed in [url + "?x=1", url + "/", url.replace("token", "%74oken"), "//".join(url.rsplit("/", 1)), url + "/../token",
                        url.replace(".com/", ".com:443x/"), url.replace(".com/", ".com:8443/"), url.replace("https", "http"),
                        url.replace("googleapis.com", "apis.example"), url.replace(".com", ".com.evil.example")]:
            yield refused(service, changed, "EndpointConfusion")
    for region in ["evil.rep", "us-central1.x.rep", "us-central1.rep.x", "x.us-central1.rep"]:
        yield refused("sts", f"https://sts.{region}.googleapis.com/v1/token", "EndpointConfusion")
    yield refused("sts", "https://evil-sts.googleapis.com/v1/token", "EndpointConfusion")
    yield refused("token", "http://10.0.0.1:8085/token", "Cleartext", environment={"GATEPASS_TRUSTED_ENDPOINTS": "10.0.0.1:8085"})
    yield refused("token", "http://sts.example:443/token", "Cleartext", environment={"GATEPASS_TRUSTED_ENDPOINTS": "sts.example"})
    yield refused("token", "http://2130706433:8085/token", "EndpointConfusion", environment={"GATEPASS_TRUSTED_ENDPOINTS": "127.0.0.1:8085"})

    def source(name, source, flag):
        return given(f"a source: {name}", external(source), fail("CREDENTIALS_FILE_INVALID"), flags=[flag])

    path = "computeMetadata/v1/instance/service-accounts/default/token"
    for url in [f"http://169.254.169.254/{path}", f"http://169.254.169.254/{path.lower()}", f"http://169.254.169.254/%63{path[1:]}",
                f"http://169.254.169.254/%2563{path[1:]}", f"http://169.254.169.254//x/../{path}", f"https://metadata.google.internal/{path}",
                f"https://metadata/{path}", f"http://2852039166/{path}", f"http://0xa9fea9fe/{path}"]:
        yield source(url, {"url": url}, "MetadataTheft")
    azure = "http://169.254.169.254/metadata/identity"
    for header in ["Metadata-Flavor", "metadata-flavor", "X-Google-Metadata-Request"]:
        yield source(f"a header {header}", {"url": azure, "headers": {header: "Google"}}, "MetadataTheft")
    for header in ["Host", "Transfer-Encoding", "content-length", "Connection", "TE", "Upgrade", "Proxy-Authorization", "Expect"]:
        yield source(f"a header {header}", {"url": azure, "headers": {header: "x"}}, "RequestSmuggling")
    for path in ["/proc/self/environ", "//proc/self/environ", "/./proc/self/environ", "/run/../proc/self/environ", "../../../../proc/self/environ",
                 "/sys/class/dmi/id/product_serial", "/dev/stdin"]:
        yield source(f"a file {path}", {"file": path}, "SystemFile")


def proxy_cases():
    """Which proxy a request goes through (curl's manual, "ENVIRONMENT"); metadata servers are never asked by one."""
    ask = exchange(NOW, {"target_audience": AUDIENCE})
    answer = (response(json.dumps({"id_token": id_token(LATER)})), end(id_token(LATER)))

    def by(proxy):
        return ask | {"proxy": proxy and {"url": proxy}}

    def to(name, environment, proxy):
        return given(name, key_file(), by(proxy), answer, environment=environment)

    yield to("a proxy for https", {"HTTPS_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128")
    yield to("a proxy with a password and without a scheme", {"https_proxy": "user:s3cret@proxy.example:3128"}, "http://user:s3cret@proxy.example:3128")
    yield to("the variable in lower case comes first", {"https_proxy": "http://a.example:1", "HTTPS_PROXY": "http://b.example:1"}, "http://a.example:1")
    yield to("a proxy for everything", {"ALL_PROXY": "https://proxy.example"}, "https://proxy.example")
    yield to("a proxy for http only", {"HTTP_PROXY": "http://proxy.example:3128"}, None)
    for excepted in ["*", "googleapis.com", ".googleapis.com", "x.example,oauth2.googleapis.com:443", "x.example oauth2.googleapis.com"]:
        yield to(f"no proxy for {excepted}", {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": excepted}, None)
    for other in ["apis.com", "oauth2.googleapis.com:8443", "x.oauth2.googleapis.com", "142.250.0.0/15"]:
        yield to(f"no proxy for {other}, which is another", {"HTTPS_PROXY": "http://proxy.example:3128", "no_proxy": other}, "http://proxy.example:3128")
    yield given("a proxy that cannot be used", key_file(), fail("INVALID_OPTION"), environment={"HTTPS_PROXY": "socks5://user:s3cret@proxy.example"})
    everywhere = {"http_proxy": "http://proxy.example:3128", "https_proxy": "http://proxy.example:3128"}
    url = {"url": "http://169.254.169.254/metadata/identity?x=1", "headers": {"Metadata": "True"},
           "format": {"type": "json", "subject_token_field_name": "access_token"}}
    get = send("GET", url["url"], [["Metadata", "True"]], None, 10000, "default")
    sent = sts("subject") | {"proxy": {"url": "http://proxy.example:3128"}}
    impersonate = generate_id("federated") | {"proxy": {"url": "http://proxy.example:3128"}}
    yield given("a link-local service is asked directly", external(url), get, (response('{"access_token":"subject"}'), sent),
                (access("federated"), impersonate), (response(json.dumps({"token": id_token(LATER)})), end(id_token(LATER))),
                environment=everywhere, flags=["SubjectTokenOfAnother"])
    local = url | {"url": "http://localhost:4141/token"}
    yield given("a loopback service is asked directly", external(local), get | {"url": local["url"]},
                environment=everywhere | {"GATEPASS_TRUSTED_ENDPOINTS": "localhost:4141"}, flags=["SubjectTokenOfAnother"])
    yield case("Google's metadata server is asked directly", (START, READ_ENV), (env(GCE_METADATA_HOST="metadata.example", **everywhere), identity(host="metadata.example")))


def option_cases():
    """Universes, expected types, the ID token of a person's login, Google Distributed Cloud."""
    scoped = {"kind": "access_token", "target": SCOPE}
    user = file_of("authorized_user", **USER)
    there = key_file(universe_domain=UNIVERSE, token_uri=None)
    by_scope = signed({**lived(NOW), "sub": EMAIL, "scope": SCOPE})
    named = {"universe_domain": UNIVERSE}
    yield given("another universe, named by the program: access tokens are self-signed", there, end(by_scope), options=named, **scoped)
    yield given("another universe, named by the environment", there, end(by_scope), environment={"GOOGLE_CLOUD_UNIVERSE_DOMAIN": UNIVERSE}, **scoped)
    iam = f"https://iamcredentials.{UNIVERSE}/v1/projects/-/serviceAccounts"
    own = signed({**lived(NOW), "sub": EMAIL, "scope": "https://www.googleapis.com/auth/iam"})
    token = id_token(LATER)
    answer = response(json.dumps({"token": token}))
    yield given("an ID token in another universe", there, generate_id(own, email=EMAIL, base=iam), (answer, end(token)), options=named)
    yield given("no person is acted for in another universe", there, fail("SUBJECT_UNSUPPORTED"), options=named | {"subject": PERSON}, **scoped)
    yield given("a file chooses no universe by itself", there, fail("CREDENTIALS_FILE_INVALID"), **scoped)
    yield given("a file of a third universe", key_file(universe_domain="third.example"), fail("CREDENTIALS_FILE_INVALID"), options=named, **scoped)
    yield given("a universe that is no host", key_file(), fail("INVALID_OPTION"), options={"universe_domain": "cloud.example/x"}, flags=["HostInjection"])
    federation = external({"file": "/var/run/token"}, token_url=None, universe_domain=UNIVERSE,
                          service_account_impersonation_url=f"{iam}/{TARGET}:generateAccessToken")
    yield given("federation in another universe", federation.replace('"token_url": null, ', ""), read_file("/var/run/token"),
                (text("subject"), sts("subject") | {"url": f"https://sts.{UNIVERSE}/v1/token"}),
                (access("federated"), generate_id("federated", base=iam)), (answer, end(token)), options=named)
    yield given("a person's account is of the default universe", file_of("authorized_user", **USER, universe_domain=UNIVERSE),
                fail("CREDENTIALS_FILE_INVALID"), options=named, **scoped)
    yield case("impersonation by option in another universe", (START, READ_ENV), (env(K_SERVICE="orders"), metadata_token("?" + form({"scopes": SCOPE}))),
               (mds('{"access_token":"ya29.source","expires_in":3599}'), generate_id("ya29.source", base=iam)), (answer, end(token)),
               options=named | {"impersonate": TARGET})

    yield given("the expected type", key_file(), exchange(NOW, {"target_audience": AUDIENCE}), (response(json.dumps({"id_token": token})), end(token)),
                options={"expect_type": "service_account"})
    yield given("another type than the expected", user, fail("CREDENTIALS_TYPE_UNEXPECTED"), options={"expect_type": "service_account"}, **scoped)
    yield case("the metadata server where a file is expected", (START, READ_ENV), (env(K_SERVICE="orders"), fail("CREDENTIALS_TYPE_UNEXPECTED")),
               options={"expect_type": "external_account"})
    yield given("a quota project with a line end", key_file(), fail("INVALID_OPTION"), options={"quota_project_id": "p\r\nX: y"}, flags=["HeaderInjection"])

    login = {"allow_user_id_token": True}
    client = id_token(LATER, USER["client_id"])
    yield given("the ID token of a person's login", user, refresh(), (response(json.dumps({"access_token": "ya29.x", "expires_in": 3599, "id_token": client})), end(client)), options=login)
    yield given("a login without openid", user, refresh(), (access(), fail("TOKEN_RESPONSE_INVALID")), options=login)
    yield given("a login at another client", user, refresh(), (response(json.dumps({"access_token": "ya29.x", "expires_in": 3599, "id_token": token})), fail("TOKEN_RESPONSE_INVALID")), options=login)

    fields = {"format_version": "1", "project": "shop", "name": "orders", "private_key_id": "k", "private_key": EC_KEY_PEM, "token_uri": "https://gdc.example/token"}
    gdch = file_of("gdch_service_account", **fields)
    trusted = {"trusted_endpoints": ["gdc.example"]}
    yield given("Google Distributed Cloud: an endpoint that nobody trusts", gdch, fail("ENDPOINT_NOT_ALLOWED"), **scoped)
    yield given("Google Distributed Cloud: no audience", gdch, fail("INVALID_OPTION"), options=trusted, **scoped)
    yield given("Google Distributed Cloud: no ID tokens", gdch, fail("ID_TOKEN_UNSUPPORTED"), options=trusted | {"gdch_audience": "https://api.example"})
    yield given("Google Distributed Cloud: another format", file_of("gdch_service_account", **fields | {"format_version": "2"}), fail("CREDENTIALS_FILE_INVALID"), options=trusted, **scoped)
    for field in ("project", "name", "private_key", "private_key_id"):
        yield given(f"Google Distributed Cloud: no {field}", file_of("gdch_service_account", **fields | {field: None}), fail("CREDENTIALS_FILE_INVALID"), options=trusted, **scoped)
    yield given("Google Distributed Cloud: a damaged key", file_of("gdch_service_account", **fields | {"private_key": EC_KEY_PEM[:120]}), fail("CREDENTIALS_FILE_INVALID"), options=trusted, **scoped)


# --- cache -------------------------------------------------------------------------------------------------------

def look(at, status, op=None, header=None, refresh=None, flight_of=None, target=AUDIENCE):
    expect = {"status": status, "header": header, "refresh": refresh, "flight_of": flight_of}
    return {"at_ms": at, "do": "lookup", "kind": "id_token", "target": target,
            "expect": {name: value for name, value in expect.items() if value is not None}, **({"op": op} if op else {})}


def resume(at, op, reply, step):
    return {"at_ms": at, "do": "resume", "op": op, "reply": reply, "expect": step}


def cancel(op):
    return {"do": "cancel", "op": op}


def cache_cases():
    found = env(GCE_METADATA_HOST="127.0.0.1:8085")
    ask = identity(host="127.0.0.1:8085")

    def first(exp, token):
        """The events that put a first token of the metadata server into the cache; and the generator after them."""
        source, _ = jitters()
        end = done(token, exp, NOW, source, False)
        return source, end["output"]["fresh_until_ms"], [
            look(NOW, "fetch", "a"), resume(NOW, "a", START, READ_ENV), resume(NOW, "a", found, ask),
            resume(NOW, "a", mds(token), end)]

    exp = NOW + 3_600_000
    token = id_token(exp)
    bearer = f"Bearer {token}"
    _, fresh, events = first(exp, token)
    yield "one flight for all who wait", [
        *events[:2], look(NOW, "join", flight_of="a"), look(NOW, "fetch", "b", target="https://other"),
        *events[2:], look(NOW, "fresh", header=bearer), look(fresh - 1, "fresh", header=bearer)]
    yield "a cancelled fetch blocks nobody", [
        look(NOW, "fetch", "a"), resume(NOW, "a", START, READ_ENV), look(NOW, "join", flight_of="a"), cancel("a"),
        look(NOW, "fetch", "b"), look(NOW, "join", flight_of="b")]

    source, fresh, events = first(exp, token)
    later_exp = (fresh // 1000 + 3600) * 1000  # exp counts whole seconds
    later = id_token(later_exp)
    source.next()  # the refresh's own generator
    yield "stale: served, and one caller refreshes behind the others", [
        *events, look(fresh, "stale", "r", header=bearer, refresh=True),
        look(fresh, "stale", header=bearer, refresh=False), resume(fresh, "r", START, ask),
        resume(fresh, "r", mds(later), done(later, later_exp, fresh, source, False)),
        look(fresh, "fresh", header=f"Bearer {later}")]

    source, fresh, events = first(exp, token)
    yield "the same token again is not asked for again for ten seconds", [
        *events, look(fresh, "stale", "r", refresh=True), resume(fresh, "r", START, ask),
        resume(fresh, "r", mds(token), events[3]["expect"]),
        look(fresh + 9_999, "stale", header=bearer, refresh=False),
        look(fresh + 10_000, "stale", "s", header=bearer, refresh=True)]

    source, fresh, events = first(exp, token)
    yield "a failed refresh never fails a caller while the token lives", [
        *events, look(fresh, "stale", "r", refresh=True), resume(fresh, "r", START, ask),
        resume(fresh, "r", mds("", 404), fail("TOKEN_REFUSED")),
        look(fresh + 999, "stale", header=bearer, refresh=False),
        look(fresh + 1000, "stale", "s", header=bearer, refresh=True), resume(fresh + 1000, "s", START, ask),
        resume(fresh + 1000, "s", mds("", 404), fail("TOKEN_REFUSED")),
        look(fresh + 2999, "stale", header=bearer, refresh=False),
        look(exp - 10_001, "stale", "t", header=bearer, refresh=True), look(exp - 10_000, "join", flight_of="t")]

    yield "after one failure the next caller tries, after two the error is remembered", [
        look(NOW, "fetch", "a"), resume(NOW, "a", START, READ_ENV), resume(NOW, "a", found, ask),
        resume(NOW, "a", mds("", 404), fail("TOKEN_REFUSED")), look(NOW, "fetch", "b"),
        resume(NOW, "b", START, ask), resume(NOW, "b", mds("", 404), fail("TOKEN_REFUSED")),
        look(NOW + 999, "fetch", "c"), resume(NOW + 999, "c", START, fail("TOKEN_REFUSED")),
        look(NOW + 999, "fetch", "d"), resume(NOW + 999, "d", START, fail("TOKEN_REFUSED")),
        look(NOW + 1000, "fetch", "e"), resume(NOW + 1000, "e", START, ask)]

    _, fresh, events = first(exp, token)
    yield "the clock jumps back: a token is not fresher than fresh", [
        *events, look(NOW - 86_400_000, "fresh", header=bearer), look(fresh, "stale", "r", header=bearer, refresh=True)]

    short_exp = NOW + 40_000
    short = id_token(short_exp)
    _, fresh, events = first(short_exp, short)
    yield "a token of forty seconds", [
        *events, look(fresh - 1, "fresh"), look(fresh, "stale", "r", refresh=True),
        look(short_exp - 4_000, "join", flight_of="r")]


def message_cases():
    """What the other side says reaches the user: shortened, and without what is known to be secret or looks like it."""
    at = "127.0.0.1:8085"
    leaked = id_token(LATER)

    def metadata(name, reply, message, **more):
        return case(name, (START, READ_ENV), (env(GCE_METADATA_HOST=at), identity(host=at)), (reply, fail_saying("TOKEN_REFUSED", message)), **more)

    denied = "IAM returned 403 Forbidden: Permission iam.serviceAccounts.getOpenIdToken denied on resource (or it may not exist)"
    yield metadata("403 of GKE's metadata server", mds(denied + ".\n", 403), f"the metadata server answered 403, expected 200: {denied}.")
    absent = "the metadata server answered 404, expected 200"
    hint = "this machine has no service account, or it has no scopes"
    yield metadata("404 of the metadata server", mds("Service account 'default' does not exist.", 404), f"{absent}: Service account 'default' does not exist. ({hint})")
    yield metadata("404 of the metadata server with a page", mds("<!DOCTYPE html><title>Error 404</title>", 404), f"{absent} ({hint})")
    yield metadata("403 with tokens in it", mds(f"no {leaked} nor Bearer ya29.a0AfB_byC for https://orders.example, gcp@shop.example", 403),
                   "the metadata server answered 403, expected 200: no [redacted] nor Bearer [redacted] for https://orders.example, gcp@shop.example", flags=["SecretInMessage"])
    yield metadata("403 with what a terminal obeys", mds("\x1b[2Jno\r\nway\x07\x00", 403), "the metadata server answered 403, expected 200: [2Jno way", flags=["SecretInMessage"])
    yield metadata("403 of great length", mds("word " * 1000, 403), "the metadata server answered 403, expected 200: " + "word " * 80 + "…")

    key = {"options": {"credentials_json": key_file()}}
    ask = exchange(NOW, {"target_audience": AUDIENCE})
    sent = urllib.parse.parse_qs(ask["body"])["assertion"][0]
    for name, reply, message in [
        ("400 of the token endpoint", response('{"error":"invalid_grant","error_description":"Invalid JWT Signature."}', 400), "answered 400 with invalid_grant: Invalid JWT Signature."),
        ("403 of the token endpoint", response(f'{{"error":"access_denied","error_description":"Account {EMAIL} is disabled, says {sent}"}}', 403),
         f"answered 403 with access_denied: Account {EMAIL} is disabled, says [redacted]"),
        ("404 of the token endpoint", response("no such page", 404), "answered 404, expected 200: no such page"),
    ]:
        yield case(name, (START, READ_ENV), (env(), ask), (reply, fail_saying("TOKEN_REFUSED", f"the token endpoint {message}")), **key)

    path, read = {"file": "/var/run/token"}, read_file("/var/run/token")
    subject = "s3cret-subject-of-a-workload"
    for status, body, message in [
        (403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": f"Permission denied on {POOL} for {subject}."}}, f"403 with PERMISSION_DENIED: Permission denied on {POOL} for [redacted]."),
        (404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "No such pool."}}, "404 with NOT_FOUND: No such pool."),
        (400, {"error": "invalid_target", "error_description": f"The audience {POOL} is none."}, f"400 with invalid_target: The audience {POOL} is none."),
        (403, "Forbidden by policy of shop.example", "403, expected 200: Forbidden by policy of shop.example"),
    ]:
        reply = response(body if isinstance(body, str) else json.dumps(body), status)
        yield given(f"STS says {message}", external(path), read, (text(subject), sts(subject)), (reply, fail_saying("TOKEN_REFUSED", f"the STS endpoint answered {message}")))

    federated, bearer = access("s3cret-federated"), "s3cret-federated"
    url = f"{IAM}/{TARGET}:generateIdToken"
    for status, reason, words in [(403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource (or it may not exist)."),
                                  (404, "NOT_FOUND", f"Not found; Gaia id not found for email {TARGET}, see {url}")]:
        body = {"error": {"code": status, "status": reason, "message": f"{words} {bearer}"}}
        yield given(f"IAM says {reason}", external(path), read, (text(subject), sts(subject)), (federated, generate_id(bearer)),
                    (response(json.dumps(body), status), fail_saying("TOKEN_REFUSED", f"the IAM Credentials API answered {status} with {reason}: {words} [redacted]")))

    azure = {"url": "http://169.254.169.254/metadata/identity/oauth2/token?resource=api://AzureADTokenExchange", "headers": {"Metadata": "True"},
             "format": {"type": "json", "subject_token_field_name": "access_token"}}
    get = send("GET", azure["url"], [["Metadata", "True"]], None, 10000, "default")
    for status, body, message in [
        (400, '{"error":"invalid_request","error_description":"Identity not found for api://AzureADTokenExchange"}', "400 with invalid_request: Identity not found for api://AzureADTokenExchange"),
        (403, f'{{"statusCode":403,"message":"no right, {leaked}"}}', '403, expected 200: {"statusCode":403,"message":"no right, [redacted]'),
        (404, "no managed identity", "404, expected 200: no managed identity"),
    ]:
        yield given(f"Azure says {message}", external(azure), get, (response(body, status), fail_saying("SUBJECT_TOKEN_FAILED", f"the subject token's URL answered {message}")))

    aws4 = "urn:ietf:params:aws:token-type:aws4_request"
    plain = external({"environment_id": "aws1"}, subject_token_type=aws4)
    pod = {"AWS_REGION": "eu-west-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "s3cret-of-a-pod"}
    agent = send("GET", pod["AWS_CONTAINER_CREDENTIALS_FULL_URI"], [["authorization", "s3cret-of-a-pod"]], None, 3000, "direct")
    for status, body, message in [
        (403, '{"code":"AccessDenied","message":"no s3cret-of-a-pod here"}', "403, expected 200: AccessDenied: no [redacted] here"),
        (404, "ResourceNotFoundException: no association for orders", "404, expected 200: ResourceNotFoundException: no association for orders"),
    ]:
        yield given(f"AWS's agent says {message}", plain, ASK_AWS, (env(**pod), agent),
                    (response(body, status), fail_saying("SUBJECT_TOKEN_FAILED", f"the AWS container agent answered {message}")))
    role = "arn:aws:iam::123456789012:role/orders"
    web = {"AWS_REGION": "eu-west-1", "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/web-token", "AWS_ROLE_ARN": role}
    assume = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": role, "RoleSessionName": "gatepass", "WebIdentityToken": "s3cret-web"}
    yield given("AWS's STS denies", plain, ASK_AWS, (env(**web), read_file("/var/run/web-token")), (text("s3cret-web"), post_form("https://sts.eu-west-1.amazonaws.com/", assume)),
                (response('{"Error":{"Code":"AccessDenied","Message":"s3cret-web may not assume ' + role + '"}}', 403),
                 fail_saying("SUBJECT_TOKEN_FAILED", f"AWS's STS answered 403, expected 200: AccessDenied: [redacted] may not assume {role}")))


def main():
    def write(path, comment, cases):
        (HERE / path).write_text(json.dumps({"comment": comment, "cases": cases}, indent=1, ensure_ascii=False) + "\n")

    note = "TEST KEYS ONLY. Written by generate.py; schema.json beside this file says what the members mean."
    write("acquire/metadata.json", note, list(metadata_cases()))
    write("acquire/service_account.json", note, list(service_account_cases()))
    write("acquire/user.json", note, list(user_cases()))
    write("acquire/impersonated_service_account.json", note, list(impersonated_cases()))
    write("acquire/external_account.json", note, list(external_cases()))
    write("acquire/self_signed.json", note, list(self_signed_cases()))
    write("acquire/options.json", note, list(option_cases()))
    write("acquire/endpoints.json", note, list(endpoint_cases()))
    write("acquire/proxies.json", note, list(proxy_cases()))
    write("acquire/messages.json", note, list(message_cases()))
    cases = [{"name": name, "options": {"seed": SEED}, "events": events} for name, events in cache_cases()]
    write("cache/timelines.json", note, cases)


if __name__ == "__main__":
    main()
