//! Header values, one to a line: `Authorization`, `X-Serverless-Authorization`, IAP's.
#![no_main]

use std::sync::LazyLock;

use gatepass_bridge::{RequestHeaders, Verifier};
use gatepass_fuzz::{keys, verifier};
use libfuzzer_sys::fuzz_target;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| verifier(&keys()).expect("a verifier"));

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n').map(|line| (!line.is_empty()).then_some(line));
    let mut next = || lines.next().flatten();
    let headers = RequestHeaders {
        authorization: next(),
        x_serverless_authorization: next(),
        x_goog_iap_jwt_assertion: next(),
    };
    if let Ok(token) = VERIFIER.token_from_headers(&headers) {
        assert!(
            !token.is_empty() && token.trim_matches([' ', '\t']) == token && text.contains(token),
            "{token:?}"
        );
    }
});
