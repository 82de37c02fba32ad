//! What a verifier refuses to be made with.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use gatepass_core::{KeySource, Preset};
use gatepass_core::{Verifier, VerifierConfig};

fn config() -> VerifierConfig {
    VerifierConfig {
        preset: Some(Preset::Google),
        audiences: vec!["https://a".into()],
        ..VerifierConfig::default()
    }
}

#[test]
fn a_policy_that_is_open_by_mistake_is_refused() {
    let mistakes = [
        ("no audience", VerifierConfig { audiences: Vec::new(), ..config() }),
        ("an audience is empty", VerifierConfig { audiences: vec![String::new()], ..config() }),
        ("both an audience and any_audience", VerifierConfig { any_audience: true, ..config() }),
        ("allowed_emails is an empty list", VerifierConfig { allowed_emails: Some(Vec::new()), ..config() }),
        ("leeway_seconds is 3601", VerifierConfig { leeway_seconds: 3601, ..config() }),
        (
            "begins with http://",
            VerifierConfig { keys: KeySource::Url("http://a.example/keys".into()), ..config() },
        ),
        ("not valid JSON", VerifierConfig { keys: KeySource::Static("keys".into()), ..config() }),
    ];
    for (expected, config) in mistakes {
        let Err(error) = Verifier::new(config) else { panic!("{expected}: made") };
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(Verifier::new(config()).is_ok());
}
