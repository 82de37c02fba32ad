//! Header and payload, on two lines, with a good signature: what is accepted keeps every rule, read a second time.
#![no_main]

use std::sync::LazyLock;

use gatepass_bridge::{Verdict, Verifier};
use gatepass_fuzz::{AUDIENCE, ISSUER, NOW, NOW_MS, keys, sign, verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| verifier(&keys()).expect("a verifier"));
const LEEWAY: f64 = 30.0;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |b| *b == b'\n');
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // Most inputs spend themselves on the payload.
    let header = if header.is_empty() { br#"{"alg":"ES256","kid":"k"}"# } else { header };
    if let Ok(Verdict::Accepted(..)) = VERIFIER.check(sign(header, payload).as_bytes(), NOW) {
        let claims: Value = serde_json::from_slice(payload).expect("accepted claims are JSON");
        let now = NOW_MS as f64 / 1000.0;
        assert_eq!(claims["iss"], ISSUER);
        let audiences = match &claims["aud"] {
            Value::Array(audiences) => audiences.clone(),
            one => vec![one.clone()],
        };
        assert!(audiences.iter().any(|audience| audience == AUDIENCE), "{claims}");
        assert!(claims["exp"].as_f64().is_some_and(|exp| now < exp + LEEWAY), "{claims}");
        assert!(
            claims["iat"].is_null() || claims["iat"].as_f64().is_some_and(|iat| iat <= now + LEEWAY),
            "{claims}"
        );
        assert!(
            claims["nbf"].is_null() || claims["nbf"].as_f64().is_some_and(|nbf| nbf <= now + LEEWAY),
            "{claims}"
        );
        let header: Value = serde_json::from_slice(header).expect("an accepted header is JSON");
        // Without one, the only key that fits is meant.
        let is_key = header.get("kid").is_none_or(|kid| kid == "k");
        assert!(header["alg"] == "ES256" && is_key && header["crit"].is_null(), "{header}");
    }
});
