//! Any text as a credential file (its first line), and as what is read and answered after it.
#![no_main]

use gatepass_bridge::{Lookup, Source};
use gatepass_fuzz::{NOW, drive};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|text: &str| {
    let (file, script) = text.split_once('\n').unwrap_or((text, ""));
    let options = json!({"seed": 1, "credentials_json": file, "gdch_audience": "https://api.example"});
    let source = Source::new(&options.to_string()).expect("options that fit");
    for kind in ["id_token", "access_token", "self_signed_jwt"] {
        let Ok(Lookup::Fetch(mut op)) = source.lookup(kind, "https://receiver.example", NOW) else {
            panic!("a cold source fetches");
        };
        drive(&mut op, script);
    }
});
