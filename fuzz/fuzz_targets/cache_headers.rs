//! Any lines as HTTP headers of a key set: keys that were just fetched are used, and none is used for ever.
#![no_main]

use gatepass_bridge::{Verdict, Verifier};
use gatepass_fuzz::{AUDIENCE, ISSUER, NOW, NOW_MS, keys, sign};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const MINUTE_MS: u64 = 60_000;
const YEAR_MS: u64 = 366 * 86_400_000;

fuzz_target!(|text: &str| {
    let options = json!({"issuers": [ISSUER], "algorithms": ["ES256"], "audiences": [AUDIENCE], "keys_url": "https://issuer.example/keys"});
    let verifier = Verifier::new(&options.to_string()).expect("options that fit");
    let token = sign(br#"{"alg":"ES256","kid":"k"}"#, b"{}");
    let Ok(Verdict::NeedsKeys(mut op)) = verifier.check(token.as_bytes(), NOW) else {
        panic!("no keys are there yet")
    };
    let _request = op.resume(NOW, r#"{"reply":"start"}"#);
    let headers: Vec<_> = text.lines().filter_map(|line| line.split_once(':')).take(16).collect();
    let reply = json!({"reply": "response", "status": 200, "headers": headers, "body": keys()});
    let step = op.resume(NOW, &reply.to_string());
    assert!(step.contains(r#""step":"done""#), "{step}");
    let asks = |now_ms| {
        matches!(
            verifier.check(token.as_bytes(), gatepass_bridge::now(now_ms, now_ms)),
            Ok(Verdict::NeedsKeys(_))
        )
    };
    assert!(!asks(NOW_MS + MINUTE_MS / 2), "asked again at once");
    assert!(asks(NOW_MS + YEAR_MS), "kept for a year");
});
