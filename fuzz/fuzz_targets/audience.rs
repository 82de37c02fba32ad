//! Any text as a URL: its audience is an origin of https, and the audience of an audience is itself.
#![no_main]

use gatepass_bridge::audience_for_url;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|url: &str| {
    if let Ok(audience) = audience_for_url(url) {
        assert!(audience.starts_with("https://") && !audience.contains(['@', '?', '#', ' ']), "{audience}");
        // What is left after a tag may look like a tag again.
        if !audience.contains("---") {
            assert_eq!(audience_for_url(&audience).ok().as_deref(), Some(audience.as_str()));
        }
    }
});
