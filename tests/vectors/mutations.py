#!/usr/bin/env python3
"""For each file of vectors a mutation of the core that makes it fail: a file that no mutation fails proves nothing.

Run it in a clean checkout: `python3 tests/vectors/mutations.py` applies one mutation at a time to core/src, runs a Rust
runner on the one file, expects it to fail, and takes the mutation back. `mutations.py NAME` runs those of one file.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Vectors; the runner's test, of another package than gatepass-vectors with that before a colon; the file of the core; what stands there; what is put in its place.
MUTATIONS = [
    ("verify/attack_corpus.json", "verify", "jose/claims.rs",
     "Value::String(iss) if issuers.contains(iss) => Ok(()),", "Value::String(_) => Ok(()),"),
    ("algorithms/algorithms.json", "algorithms", "jose/jwk.rs",
     "self.key.fits(alg.scheme()) && self.alg.is_none_or(|own| own == alg)", "self.key.fits(alg.scheme())"),
    ("presets/presets.json", "presets", "verify/config.rs",
     "(None, true, _) => Some(Preset::Google)", "(None, _, _) => Some(Preset::Google)"),
    ("presets/emulator.json", "presets of_an_emulator", "verify/open.rs",
     "!url.is_loopback() && !trusted.include(&url)", "!url.is_loopback() && !trusted.include_host_of(&url)"),
    ("client/attack_corpus.json", "client", "exchange/document.rs",
     "seconds.saturating_sub(age)", "seconds"),
    ("cache/timelines.json", "operations cache", "source.rs",
     "const SAME_TOKEN_PAUSE_MS: u64 = 10_000;", "const SAME_TOKEN_PAUSE_MS: u64 = 0;"),
    ("acquire/endpoints.json", "operations acquire", "credentials/endpoints.rs",
     'Service::Token => path == "/token",', "Service::Token => true,"),
    ("acquire/external_account.json", "operations acquire", "exchange/sts.rs",
     "grant-type:token-exchange", "grant-type:token_exchange"),
    ("acquire/impersonated_service_account.json", "operations acquire", "credentials/impersonation.rs",
     "delegates, lifetime_seconds, token_uri", "delegates: Vec::new(), lifetime_seconds, token_uri"),
    ("acquire/messages.json", "operations acquire", "quote.rs",
     "const LONGEST_REASON: usize = 400;", "const LONGEST_REASON: usize = 4000;"),
    ("acquire/metadata.json", "operations acquire", "exchange/metadata.rs",
     'response.header("metadata-flavor").as_deref() != Some("Google")', "false"),
    ("acquire/options.json", "operations acquire", "adc.rs",
     'self.config.universe_domain.as_deref().or_else(|| self.env.var("GOOGLE_CLOUD_UNIVERSE_DOMAIN"))',
     "self.config.universe_domain.as_deref()"),
    ("acquire/proxies.json", "operations acquire", "proxy.rs",
     "wanted.is_none_or(|wanted| wanted == port) && is_named(host, name)", "is_named(host, name)"),
    ("acquire/self_signed.json", "operations acquire", "token/self_signed_jwt.rs",
     "scope: Some(joined(scopes)?), sub: Some(email)", "scope: Some(joined(scopes)?), sub: None"),
    ("acquire/service_account.json", "operations acquire", "exchange/oauth2_token.rs",
     "grant-type:jwt-bearer", "grant-type:jwt_bearer"),
    ("acquire/user.json", "operations acquire", "exchange/oauth2_token.rs",
     '("grant_type", "refresh_token")', '("grant_type", "refresh-token")'),
    ("credentials/matrix.json", "gatepass-cli:matrix", "credentials/subject_token/aws.rs",
     '("Action", "AssumeRoleWithWebIdentity")', '("Action", "AssumeRole")'),
]


def fails(vectors: str, test: str) -> bool:
    """Whether the runner, which has been built, fails on this file."""
    package, _, test = test.rpartition(":")
    target, *name = test.split()
    command = ["cargo", "test", "--quiet", "--package", package or "gatepass-vectors", "--test", target, *name]
    built = subprocess.run([*command, "--no-run"], cwd=ROOT, capture_output=True, text=True)
    if built.returncode != 0:
        sys.exit(f"{vectors}: the mutation does not compile\n{built.stderr}")
    only = {"VECTORS_ONLY": vectors.split("/")[1]} if name else {}
    return subprocess.run(command, cwd=ROOT, capture_output=True, env={**os.environ, **only}).returncode != 0


def main() -> None:
    wanted = sys.argv[1:]
    survivors = []
    for vectors, test, file, old, new in MUTATIONS:
        if wanted and not any(name in vectors for name in wanted):
            continue
        path = ROOT / "core" / "src" / file
        source = path.read_text()
        if old not in source:
            sys.exit(f"{vectors}: {file} has changed, and the mutation with it")
        try:
            path.write_text(source.replace(old, new))
            failed = fails(vectors, test)
        finally:
            path.write_text(source)
        print(f"{'caught  ' if failed else 'SURVIVED'} {vectors:45} {file}: {new}", flush=True)
        survivors += [] if failed else [vectors]
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
