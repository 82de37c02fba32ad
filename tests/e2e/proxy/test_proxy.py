"""Each language's caller behind real forward proxies: what the proxy saw, and what the emulator saw."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import network
import pytest
from callers import NAMES, Outcome, call, receiving, trusting
from emulator import CALLER, CLI, Emulator
from proxies import InspectingProxy, Tinyproxy

TOKEN, STS, SUBJECT_TOKEN = "/token", "/v1/token", "/emulator/v1/subject-token"
IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity"


class Site:
    """The emulator, a receiver, and a tinyproxy for each caller: what one asks for is no other's."""

    def __init__(self, folder: Path, emulator: Emulator, receiver: str) -> None:
        self.folder, self.emulator, self.receiver = folder, emulator, receiver
        self.authority = folder / "authority.pem"
        self.authority.write_text(subprocess.check_output([CLI, "emulator", "ca"], text=True))
        self.here = f"127.0.0.1:{emulator.tls_port}"
        # By a name that no resolver knows, the proxy alone finds the emulator.
        onward = f'Upstream http 127.0.0.1:{emulator.port} "{emulator.NAME}"'
        self.proxies = {name: Tinyproxy(self._folder(f"tinyproxy-{name}"), onward) for name in NAMES}

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def key_file(self, url: str, *options: str) -> dict[str, str]:
        """A credential file whose endpoints are at this URL, as what a caller has in its environment."""
        host = url.removeprefix("https://")
        path = self.folder / f"key-{host.replace('/', '-').replace(':', '-')}{'-'.join(options)}.json"
        if not path.exists():
            options = options or ("--email", CALLER)
            command = [CLI, "emulator", "key", "--emulator", url, *options, "--out", str(path)]
            subprocess.run(command, check=True, capture_output=True)
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(path), "GATEPASS_TRUSTED_ENDPOINTS": host}

    def by_all(
        self,
        environment: Mapping[str, str] | Callable[[str], Mapping[str, str]],
        authority: Path | None = None,
    ) -> dict[str, Outcome]:
        """Has every caller fetch a token, in an environment that may differ for each. `{proxy}` in a value is
        the caller's own one."""
        self.emulator.reset()
        for proxy in self.proxies.values():
            proxy.forget()

        def one(name: str) -> Outcome:
            own = environment(name) if callable(environment) else environment
            filled = {key: value.replace("{proxy}", self.proxies[name].url) for key, value in own.items()}
            return call(name, trusting(name, authority or self.authority) | filled, self.receiver)

        with ThreadPoolExecutor(2) as pool:
            return dict(zip(NAMES, pool.map(one, NAMES), strict=True))

    def assert_fetched(self, outcomes: dict[str, Outcome], email: str = CALLER) -> None:
        assert outcomes == {name: Outcome(email, "", outcomes[name].printed) for name in NAMES}

    def assert_seen(self, expected: list[str]) -> None:
        """What the proxies saw; a caller that keeps its connections asks for a tunnel but once."""
        seen = {name: sorted(set(proxy.requests())) for name, proxy in self.proxies.items()}
        assert seen == dict.fromkeys(NAMES, expected)


@pytest.fixture(scope="module")
def site(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with receiving() as receiver:
        site = Site(tmp_path_factory.mktemp("site"), emulator, receiver)
        yield site
        for proxy in site.proxies.values():
            proxy.close()


@pytest.mark.parametrize(
    "proxies",
    [
        {"HTTPS_PROXY": "{proxy}"},
        {"https_proxy": "{proxy}", "HTTPS_PROXY": "http://127.0.0.1:1"},
        {"ALL_PROXY": "{proxy}"},
    ],
    ids=["HTTPS_PROXY", "https_proxy first", "ALL_PROXY"],
)
def test_https_goes_through_a_tunnel(site: Site, proxies: dict[str, str]) -> None:
    # For what the callers ask of the receiver by their own HTTP clients.
    own = {"NO_PROXY": "localhost"}
    site.assert_fetched(site.by_all(site.key_file(f"https://{site.here}") | proxies | own))
    site.assert_seen([f"CONNECT {site.here}"])
    assert site.emulator.counts()[TOKEN] == len(NAMES)


def test_http_is_asked_of_the_proxy(site: Site) -> None:
    url = f"http://{Emulator.NAME}:{site.emulator.port}"
    proxies = {"HTTP_PROXY": "{proxy}", "http_proxy": "{proxy}", "NO_PROXY": "localhost"}
    site.assert_fetched(site.by_all(site.key_file(url) | proxies))
    site.assert_seen([f"POST {url}{TOKEN}"])
    assert site.emulator.counts()[TOKEN] == len(NAMES)


@pytest.mark.parametrize(
    ("host", "no_proxy", "is_direct"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", True),
        ("127.0.0.1", "127.0.0.1:{port}", True),
        ("localhost", "shop.example .LOCALHOST", True),
        ("127.0.0.1", "10.0.0.0/8,127.0.0.1:1,localhost", False),
        ("localhost", "host,127.0.0.1", False),
    ],
)
def test_no_proxy(site: Site, host: str, no_proxy: str, is_direct: bool) -> None:
    port = site.emulator.tls_port
    proxies = {"HTTPS_PROXY": "{proxy}", "NO_PROXY": no_proxy.format(port=port)}
    site.assert_fetched(site.by_all(site.key_file(f"https://{host}:{port}") | proxies))
    site.assert_seen([] if is_direct else [f"CONNECT {host}:{port}"])
    assert site.emulator.counts()[TOKEN] == len(NAMES)


def test_a_proxy_that_wants_a_password(site: Site, tmp_path: Path) -> None:
    proxy = Tinyproxy(tmp_path, "BasicAuth user hush")
    try:
        key = site.key_file(f"https://{site.here}")
        site.assert_fetched(site.by_all(key | {"HTTPS_PROXY": proxy.url.replace("//", "//user:hush@")}))
        assert set(proxy.requests()) == {f"CONNECT {site.here}"}
        assert site.emulator.counts()[TOKEN] == len(NAMES)
        refused = site.by_all(key | {"HTTPS_PROXY": proxy.url.replace("//", "//user:wrongpassword@")})
    finally:
        proxy.close()
    for name, outcome in refused.items():
        # tinyproxy's answer to a wrong password; RFC 9110 has 407.
        assert not outcome.email and "401" in outcome.error, f"{name}: {outcome}"
        assert "wrongpassword" not in outcome.printed, name
    assert TOKEN not in site.emulator.counts()


class Inspected:
    """The callers behind mitmproxy, which wants a password with characters that a URL reserves."""

    def __init__(self, proxy: InspectingProxy, site: Site) -> None:
        self.proxy, self._key = proxy, site.key_file(f"https://{site.here}")
        self._ports = dict(zip(NAMES, proxy.ports, strict=True))
        self.question = f"POST https://{site.here}{TOKEN}"

    def environment(self, name: str) -> dict[str, str]:
        return self._key | {"HTTPS_PROXY": f"http://us%40r:p%40ss%2F%25@127.0.0.1:{self._ports[name]}"}

    def seen(self, name: str) -> list[str]:
        return self.proxy.requests(self._ports[name])


@pytest.fixture(scope="module")
def inspected(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    password = ("--set", "proxyauth=us@r:p@ss/%")
    proxy = InspectingProxy(tmp_path_factory.mktemp("mitmproxy"), len(NAMES), site.authority, *password)
    yield Inspected(proxy, site)
    proxy.close()


def test_a_proxy_that_looks_into_tls(site: Site, inspected: Inspected) -> None:
    # They trust the emulator's own authority, and not the proxy's.
    for name, outcome in site.by_all(inspected.environment).items():
        assert not outcome.email and "the certificate is not trusted" in outcome.error, f"{name}: {outcome}"
        assert inspected.seen(name) == []
    assert TOKEN not in site.emulator.counts()

    site.assert_fetched(site.by_all(inspected.environment, inspected.proxy.authority))
    assert {name: inspected.seen(name) for name in NAMES} == {name: [inspected.question] for name in NAMES}
    assert site.emulator.counts()[TOKEN] == len(NAMES)


def test_requests_ca_bundle_counts_in_python(site: Site, inspected: Inspected) -> None:
    inspected.proxy.forget()
    trusted = {"REQUESTS_CA_BUNDLE": str(inspected.proxy.authority)}
    outcome = call("python", inspected.environment("python") | trusted, site.receiver)
    assert (outcome.email, outcome.error) == (CALLER, "")
    assert inspected.seen("python") == [inspected.question]


# A proxy would answer for its own machine, and that would become the identity.
EVERYTHING = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "{proxy}")
NEAR = pytest.mark.parametrize("near", ["loopback", "link-local"])


@pytest.fixture
def place(near: str, site: Site) -> Iterator[str]:
    """Host and port at which the emulator is near."""
    if near == "loopback":
        yield f"127.0.0.1:{site.emulator.port}"
    elif not network.IS_OURS:
        pytest.skip(
            "no network namespace can be made here, in which 169.254.169.254 would lead to the emulator"
        )
    else:
        with network.leading_to(site.emulator.port) as address:
            yield address


@NEAR
def test_a_metadata_server_is_never_asked_through_a_proxy(site: Site, place: str) -> None:
    metadata = {"GCE_METADATA_HOST": place, "NO_PROXY": "localhost"}
    site.assert_fetched(site.by_all(EVERYTHING | metadata), "default@emulator.iam.gserviceaccount.com")
    site.assert_seen([])
    assert site.emulator.counts()[IDENTITY] == len(NAMES)


@NEAR
def test_a_subject_token_from_nearby_is_never_asked_of_a_proxy(site: Site, place: str) -> None:
    key = site.key_file(
        f"https://{site.here}", "--type", "external_account", "--source", "url", "--email", CALLER
    )
    path = Path(key["GOOGLE_APPLICATION_CREDENTIALS"])
    file = json.loads(path.read_text())
    file["credential_source"]["url"] = f"http://{place}{SUBJECT_TOKEN}?format=json"
    path.write_text(json.dumps(file))
    trusted = {"GATEPASS_TRUSTED_ENDPOINTS": f"{key['GATEPASS_TRUSTED_ENDPOINTS']},http://{place}"}
    site.assert_fetched(site.by_all(key | EVERYTHING | trusted | {"NO_PROXY": "localhost"}))
    # The exchange goes through the proxy, the question for the subject token does not.
    site.assert_seen([f"CONNECT {site.here}"])
    counts = site.emulator.counts()
    assert (counts[SUBJECT_TOKEN], counts[STS]) == (len(NAMES), len(NAMES))
