//! Any lines as replies, in the JSON form of the border: every answer is a step, and an operation that has ended stays
//! ended.
#![no_main]

use gatepass_bridge::{Lookup, Source};
use gatepass_fuzz::NOW;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let source = Source::new(r#"{"seed":1}"#).expect("options that fit");
    let Ok(Lookup::Fetch(mut op)) = source.lookup("id_token", "https://receiver.example", NOW) else {
        panic!("a cold source fetches");
    };
    let mut ended = false;
    for reply in std::iter::once(r#"{"reply":"start"}"#).chain(text.lines().take(32)) {
        let step: Value = serde_json::from_str(&op.resume(NOW, reply)).expect("a step is JSON");
        let name = step["step"].as_str().expect("a step has a name");
        assert!(!ended || name == "fail", "{step} after the end");
        ended |= matches!(name, "done" | "fail");
    }
});
