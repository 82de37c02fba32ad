//! What a verifier refuses to be made with.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use gatepass_core::{
    Algorithm, Audiences, Callers, ErrorCode, KeySource, Millis, Now, Operation, Preset, Reply, Step,
    Verdict, Verifier, VerifierConfig,
};

fn config() -> VerifierConfig {
    VerifierConfig {
        preset: Some(Preset::Google),
        audiences: "https://a".into(),
        ..VerifierConfig::default()
    }
}

#[test]
fn a_policy_that_is_open_by_mistake_is_refused() {
    let mistakes = [
        ("no audience", VerifierConfig { audiences: Audiences::default(), ..config() }),
        ("an audience is empty", VerifierConfig { audiences: "".into(), ..config() }),
        ("begins or ends with white space", VerifierConfig { audiences: " https://a".into(), ..config() }),
        ("character U+200B", VerifierConfig { audiences: "https://a\u{200b}".into(), ..config() }),
        (
            "`allowed_emails` is an empty list",
            VerifierConfig { callers: Callers::Emails(Vec::new()), ..config() },
        ),
        (
            "`allowed_subjects` is an empty list or holds an empty text",
            VerifierConfig {
                callers: Callers::EmailsAndSubjects(vec!["a@b".into()], vec![String::new()]),
                ..config()
            },
        ),
        ("`issuers` holds an empty text", VerifierConfig { issuers: vec![String::new()], ..config() }),
        ("`leeway_seconds` is 3601", VerifierConfig { leeway_seconds: 3601, ..config() }),
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
    assert!(Verifier::new(VerifierConfig { leeway_seconds: 3600, ..config() }).is_ok());
    assert!(Verifier::new(config()).is_ok());
}

#[test]
fn options_that_exclude_each_other_are_refused_where_they_are_read() {
    let list = || Some(vec!["a".to_owned()]);
    let refused = [
        ("`any_audience`", Audiences::parse(vec!["a".into()], true).err()),
        ("`allowed_emails` and `any_caller`", Callers::parse(list(), None, true).err()),
        ("`allowed_subjects` and `any_caller`", Callers::parse(None, list(), true).err()),
        ("`keys` and `keys_url`", KeySource::parse(Some("{}".into()), Some("https://a".into())).err()),
    ];
    for (expected, error) in refused {
        let error = error.unwrap();
        assert_eq!(error.code(), ErrorCode::InvalidOption);
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(Audiences::parse(Vec::new(), true), Ok(Audiences::Any));
    assert_eq!(Callers::parse(None, None, false), Ok(Callers::Unspecified));
    assert_eq!(
        Callers::parse(list(), list(), false),
        Ok(Callers::EmailsAndSubjects(vec!["a".into()], vec!["a".into()]))
    );
}

/// The key URL that a verifier with these options asks for, or why there is none.
fn asks_for(config: VerifierConfig) -> String {
    let verifier = match Verifier::new(config) {
        Ok(verifier) => verifier,
        Err(error) => return error.code().to_string(),
    };
    // Of an algorithm that each of these verifiers allows.
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AA";
    let now = Now::steady(Millis::from_secs(1_800_000_000));
    let Verdict::NeedsKeys(mut fetch) = verifier.check(token, now) else { panic!("no keys are asked for") };
    let Step::Send(request) = fetch.resume(now, Reply::Start) else { panic!("no request") };
    request.url
}

#[test]
fn without_a_preset_issuers_and_keys_decide_which_it_is() {
    const GOOGLE: &str = "https://www.googleapis.com/oauth2/v3/certs";
    const ISSUER: &str = "https://issuer.example";
    const KEYS: &str = "https://keys.example/";
    let cases = [
        (None, false, false, false, GOOGLE),
        (None, true, false, false, "https://issuer.example/.well-known/openid-configuration"),
        (None, false, true, false, KEYS),
        (None, true, true, true, KEYS),
        // Neither the preset nor anybody else says how the issuer signs.
        (None, true, true, false, "INVALID_OPTION"),
        (Some(Preset::Google), true, false, false, GOOGLE),
        (Some(Preset::Oidc), true, false, false, "https://issuer.example/.well-known/openid-configuration"),
        (Some(Preset::Oidc), true, true, false, KEYS),
        (Some(Preset::Oidc), false, false, false, "INVALID_OPTION"),
    ];
    for (preset, has_issuer, has_keys, has_algorithm, expected) in cases {
        let config = VerifierConfig {
            preset,
            issuers: if has_issuer { vec![ISSUER.into()] } else { Vec::new() },
            keys: if has_keys { KeySource::Url(KEYS.into()) } else { KeySource::Preset },
            algorithms: if has_algorithm { vec![Algorithm::Rs256] } else { Vec::new() },
            ..config()
        };
        let config = VerifierConfig { preset, ..config };
        assert_eq!(asks_for(config), expected, "{preset:?} {has_issuer} {has_keys} {has_algorithm}");
    }
}

#[test]
fn a_preset_signs_with_the_algorithms_of_its_issuer() {
    for (preset, allowed) in [
        (Preset::Google, &[Algorithm::Rs256][..]),
        (Preset::Firebase, &[Algorithm::Rs256]),
        (Preset::Iap, &[Algorithm::Es256]),
        (Preset::Oidc, Algorithm::ALL),
    ] {
        for algorithm in Algorithm::ALL {
            let audiences = if preset == Preset::Iap { "/projects/1/apps/a" } else { "shop" };
            let issuers =
                if preset == Preset::Oidc { vec!["https://issuer.example".into()] } else { Vec::new() };
            let algorithms = vec![*algorithm];
            let config = VerifierConfig {
                preset: Some(preset),
                audiences: audiences.into(),
                issuers,
                algorithms,
                ..config()
            };
            assert_eq!(Verifier::new(config).is_ok(), allowed.contains(algorithm), "{preset:?} {algorithm}");
        }
    }
}

#[test]
fn an_issuer_that_is_discovered_may_sign_with_any_algorithm_until_its_document_is_read() {
    let issuers = vec!["https://issuer.example".into()];
    let verifier = Verifier::new(VerifierConfig { preset: Some(Preset::Oidc), issuers, ..config() }).unwrap();
    let now = Now::steady(Millis::from_secs(1_800_000_000));
    // {"alg":"ES256","kid":"a"}
    let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AA";
    assert!(matches!(verifier.check(token, now), Verdict::NeedsKeys(_)));
}
