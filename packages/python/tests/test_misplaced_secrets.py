"""A secret where something else belongs: in no option, variable or field is it shown by what goes wrong then.

What is tried comes from the schemas of options, from the variables that the core reads, and from
the schema of credential files, so that a new one cannot be forgotten.
"""

from __future__ import annotations

import base64
import copy
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gatepass
import gatepass.httpx
import gatepass.requests
from gatepass._driver import exchange, replies
from gatepass._driver import steps as driver
from gatepass.testing import Emulator
from leaks import chain
from support import REPOSITORY
from tokens import AUDIENCE, token_of

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LINES = [base64.b64encode(bytes([number]) * 48).decode() for number in (7, 99, 181)]
KEY = "\n".join(["-----BEGIN PRIVATE KEY-----", *LINES, "-----END PRIVATE KEY-----", ""])
SECRETS = {
    "a key": KEY,
    "a key file": json.dumps({"type": "service_account", "private_key": KEY, "client_email": "a@b.example"}),
    "a token": token_of(nonce="misplaced"),
    "a random text": "kT9v" + base64.b64encode(bytes(range(100, 160))).decode().replace("/", "x").rstrip("="),
}
# The shortest part that is looked for: less of it is of no use to anybody.
SHORTEST = 16


def parts(secret: str) -> Iterator[str]:
    for line in secret.replace("\\n", "\n").splitlines():
        for part in line.split("."):
            for piece in part.replace('"', " ").split():
                for start in range(0, len(piece) - SHORTEST + 1, SHORTEST):
                    chunk = piece[start : start + SHORTEST]
                    if not chunk.startswith("-----") and "PRIVATE" not in chunk:
                        yield chunk


@pytest.fixture(params=SECRETS)
def secret(request: pytest.FixtureRequest) -> str:
    return SECRETS[request.param]


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is reached, whatever a secret makes of a URL. No wait is waited for."""
    send = exchange.send

    def send_nearby(step: Any) -> Any:
        near = step["url"].partition("://")[2].startswith("127.0.0.1:")
        return send(step) if near and step["proxy"] is None else replies.failed("connect", "out of reach")

    monkeypatch.setattr(exchange, "send", send_nearby)
    monkeypatch.setattr(driver.time, "sleep", lambda seconds: None)


class Shown:
    """What errors, objects and the log show."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        self._caplog = caplog
        self._texts: list[str] = []
        self.errors = 0

    def by(self, call: Callable[[], Any]) -> Any:
        """Calls it; gives what it gives, or None if it fails."""
        try:
            result = call()
        except Exception as error:
            self.errors += 1
            for one in chain(error):
                # The call itself is in the traceback's lines of source, with names and no values.
                self._texts += [str(one), repr(one), *traceback.format_exception_only(one), str(vars(one))]
                refusal = getattr(one, "refusal", None)
                self._texts += [str(refusal.headers), refusal.body] if refusal else []
            return None
        self._texts.append(repr(result) if not isinstance(result, (str, list)) else "")
        return result

    def note(self, text: str) -> None:
        self._texts.append(text)

    def check(self, secret: str) -> None:
        shown = "\n".join([*self._texts, self._caplog.text])
        assert [part for part in parts(secret) if part in shown] == []


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Shown:
    return Shown(caplog)


def options_of(schema: str) -> dict[str, Any]:
    properties = json.loads((REPOSITORY / "interface" / f"{schema}.schema.json").read_text())["properties"]
    return dict(properties)


def kinds_of(option: dict[str, Any]) -> str:
    return json.dumps(option)


def fetch_with(source: Any, shown: Shown) -> None:
    if source is not None:
        shown.by(lambda: source.fetch_id_token(AUDIENCE))
        shown.by(lambda: source.fetch_access_token(SCOPE))


SOURCE = [name for name, option in options_of("source_options").items() if "string" in kinds_of(option)]
VERIFIER = [name for name, option in options_of("verifier_options").items() if "string" in kinds_of(option)]


@pytest.mark.parametrize("name", SOURCE)
def test_in_an_option_of_a_source(name: str, secret: str, shown: Shown, adc: Emulator) -> None:
    key = adc.key_file("a@p.iam.gserviceaccount.com")
    trusted = adc.url.removeprefix("http://")
    is_list = options_of("source_options")[name].get("type") == "array"
    value: Any = [secret] if is_list else secret
    for others in (
        {},
        {"credentials_json": key, "trusted_endpoints": trusted},
        {"impersonate": "a@b.example"},
    ):
        options: dict[str, Any] = {**others, name: value}
        fetch_with(shown.by(lambda options=options: gatepass.TokenSource(**options)), shown)
    shown.check(secret)


def test_in_an_argument_of_a_source(secret: str, shown: Shown, adc: Emulator) -> None:
    source = gatepass.TokenSource()
    shown.by(lambda: source.fetch_id_token(secret))
    shown.by(lambda: source.fetch_access_token(secret))
    shown.by(lambda: source.fetch_access_token([secret, "email"]))
    shown.by(lambda: source.fetch_self_signed_jwt(secret))
    shown.by(lambda: source.invalidate_id_token(secret, secret))
    shown.by(lambda: gatepass.audience_for_url(secret))
    for make in (gatepass.requests.IdTokenAuth, gatepass.httpx.IdTokenAuth):
        auth = shown.by(lambda make=make: make(secret))
        if auth is not None:
            shown.by(lambda auth=auth: auth._tokens.plan("https://receiver.example"))
            shown.by(lambda auth=auth: auth._tokens.plan(secret))
        header = shown.by(lambda make=make: make(token_header=secret))
        if header is not None:
            shown.by(lambda header=header: header._tokens.plan("https://receiver.example"))
    shown.check(secret)


@pytest.mark.parametrize("name", VERIFIER)
def test_in_an_option_of_a_verifier(name: str, secret: str, shown: Shown, adc: Emulator) -> None:
    argument = "audience" if name == "audiences" else name
    is_list = options_of("verifier_options")[name].get("type") == "array" or "array" in kinds_of(
        options_of("verifier_options")[name]
    )
    value: Any = [secret] if is_list else secret
    token = adc.mint(AUDIENCE, email="a@b.example")
    for others in ({"keys_url": adc.keys_url}, {}, {"preset": "iap"}, {"issuers": "https://issuer.example"}):
        options: dict[str, Any] = {"audience": AUDIENCE, **others, argument: value}
        verifier = shown.by(lambda options=options: gatepass.Verifier(**options))
        if verifier is not None:
            shown.by(lambda verifier=verifier: verifier.verify(token))
            shown.note(str(verifier.explain(token)))
    shown.check(secret)


def test_in_a_token_or_a_header(secret: str, shown: Shown, adc: Emulator) -> None:
    verifier = gatepass.Verifier(AUDIENCE, keys_url=adc.keys_url)
    texts: list[str] = []
    for text in (secret, f"Bearer {secret}", f"{secret}\n", secret.replace("\n", "")):
        shown.by(lambda text=text: verifier.verify(text))
        for name in ("Authorization", "X-Serverless-Authorization"):
            shown.by(lambda name=name, text=text: verifier.token_from_headers({name: text}) and None)
        explained = shown.by(lambda text=text: gatepass.explain(text, audience=AUDIENCE))
        texts += [str(explained), repr(explained)]
        explained = shown.by(lambda text=text: gatepass.explain("a.b.c", url=text, header=text))
        texts += [str(explained), repr(explained)]
    assert shown.errors
    shown.note("\n".join(texts))
    shown.check(secret)


def variables() -> list[str]:
    """The variables that the core reads: no other module of it names one."""
    code, _, _ = (REPOSITORY / "core/src/environment.rs").read_text().partition("#[cfg(test)]")
    return sorted(set(re.findall(r'"([A-Z][A-Z0-9_]{3,}|[a-z]+_proxy)"', code)))


def calls_of_the_environment(audience: str, keys_url: str) -> list[Callable[[], Any]]:
    # Of each kind, for each has variables of its own.
    files = [file for file in KINDS.values() if file["type"] == "external_account"]
    return [
        lambda: gatepass.TokenSource().fetch_id_token(audience),
        lambda: gatepass.TokenSource().fetch_access_token(SCOPE),
        *(
            lambda file=file: gatepass.TokenSource(credentials_json=file).fetch_access_token(SCOPE)
            for file in files
        ),
        lambda: gatepass.TokenSource(impersonate="a@b.example").fetch_id_token(audience),
        lambda: gatepass.own_audiences(),
        lambda: gatepass.Verifier(audience, preset="cloud_run", any_caller=True),
        lambda: gatepass.Verifier(audience, keys_url=keys_url).verify("a.b.c"),
    ]


def test_in_a_variable(secret: str, shown: Shown, adc: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    names = variables()
    assert len(names) > 30
    for name in names:
        with monkeypatch.context() as patch:
            patch.setenv(name, secret)
            for call in calls_of_the_environment(AUDIENCE, adc.keys_url):
                shown.by(call)
    assert shown.errors > len(names)
    shown.check(secret)


# An example of each kind, with every member that is known.
KINDS = {
    kind["title"]: kind["examples"][0]
    for kind in json.loads((REPOSITORY / "interface" / "credential_file.schema.json").read_text())["anyOf"]
}


def example_of(kind: str, adc: Emulator, folder: Path) -> dict[str, Any]:
    """The example, with the emulator's endpoints and a key that signs."""
    file: dict[str, Any] = json.loads(json.dumps(KINDS[kind]).replace("https://emulator.example", adc.url))
    if "private_key" in file:
        who = ["--type", "gdch_service_account", "--name", "orders"]
        who = who if file["type"] in who else ["--email", "orders@shop.iam.gserviceaccount.com"]
        written = adc.write_key_file(folder / "key.json", *who)
        file["private_key"] = json.loads(written.read_text())["private_key"]
    return file


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_field_of_a_file(
    kind: str, secret: str, shown: Shown, adc: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    monkeypatch.chdir(tmp_path)  # A program writes its answer to the output file, whatever that is called.
    whole = example_of(kind, adc, tmp_path)
    path = tmp_path / "credentials.json"
    for place in leaves_of(whole):
        changed = put(whole, place, secret)
        path.write_text(json.dumps(changed))
        for make in (
            lambda: gatepass.TokenSource(credentials_file=path),
            lambda changed=changed: gatepass.TokenSource(credentials_json=changed),
        ):
            fetch_with(shown.by(make), shown)
    path.write_text(secret)
    fetch_with(gatepass.TokenSource(credentials_file=path), shown)
    assert shown.errors
    shown.check(secret)


def leaves_of(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for name, member in value.items():
                yield from leaves_of(member, (*place, name))
        case list():
            for number, item in enumerate(value):
                yield from leaves_of(item, (*place, number))
        case _:
            yield place


def put(whole: Any, place: tuple[Any, ...], value: str) -> Any:
    changed = inner = copy.deepcopy(whole)
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed
