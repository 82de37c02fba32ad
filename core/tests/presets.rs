//! The senders that gatepass knows by name, and Cloud Run's own check.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use gatepass_core::{
    Algorithm, Audiences, Callers, ErrorCode, KeySource, Now, Operation, Preset, Reply, Step, TokenHeaders,
    Verdict, Verifier, VerifierConfig,
};
use serde_json::{Value, json};
use support::{CALLER, NOW, claims, decide, opened, stripped, token};

const GOOGLE: &str = "https://accounts.google.com";
const AUDIENCE: &str = "https://receiver.example";
const SENDERS: [Preset; 5] =
    [Preset::CloudRun, Preset::PubSub, Preset::CloudTasks, Preset::CloudScheduler, Preset::Eventarc];

const ON_CLOUD_RUN: [(&str, &str); 1] = [("K_SERVICE", "orders")];

fn config(preset: Preset) -> VerifierConfig {
    VerifierConfig {
        preset: Some(preset),
        audiences: AUDIENCE.into(),
        keys: support::keys(),
        ..VerifierConfig::default()
    }
}

fn refusal(config: VerifierConfig, claims: &Value) -> Option<ErrorCode> {
    decide(&Verifier::new(config).unwrap(), &token(claims)).err().map(|error| error.code())
}

#[test]
fn a_senders_verifier_is_told_who_may_call() {
    for preset in SENDERS {
        let Err(error) = Verifier::new(config(preset)) else { panic!("{} was made", preset.as_str()) };
        assert_eq!(error.code(), ErrorCode::InvalidOption);
        for words in [preset.as_str(), "allowed_emails", "allowed_subjects", "any_caller"] {
            assert!(error.to_string().contains(words), "{error}");
        }
        let by_email = VerifierConfig { callers: Callers::Emails(vec![CALLER.into()]), ..config(preset) };
        let by_subject =
            VerifierConfig { callers: Callers::Subjects(vec!["1234567890".into()]), ..config(preset) };
        let by_word = VerifierConfig { callers: Callers::Any, ..config(preset) };
        for config in [by_email, by_subject, by_word] {
            assert_eq!(refusal(config, &claims(GOOGLE, AUDIENCE)), None, "{}", preset.as_str());
        }
    }
    for preset in [Preset::Google, Preset::Firebase] {
        let config = VerifierConfig { audiences: "project".into(), ..config(preset) };
        assert!(Verifier::new(config).is_ok(), "{}", preset.as_str());
    }
}

#[test]
fn a_caller_is_on_every_list_that_is_given() {
    let with = |emails: &str, subjects: &str| VerifierConfig {
        callers: Callers::EmailsAndSubjects(vec![emails.into()], vec![subjects.into()]),
        ..config(Preset::PubSub)
    };
    let claims = claims(GOOGLE, AUDIENCE);
    assert_eq!(refusal(with(CALLER, "1234567890"), &claims), None);
    assert_eq!(refusal(with(CALLER, "1"), &claims), Some(ErrorCode::SubjectNotAllowed));
    assert_eq!(refusal(with("other@a", "1234567890"), &claims), Some(ErrorCode::EmailNotAllowed));
    for unverified in [json!(false), json!("true"), json!(null), json!(1)] {
        let mut claims = claims.clone();
        claims["email_verified"] = unverified;
        assert_eq!(refusal(with(CALLER, "1234567890"), &claims), Some(ErrorCode::EmailNotVerified));
    }
}

#[test]
fn firebase_tokens_are_those_of_the_project() {
    let config = |project: &str| VerifierConfig { audiences: project.into(), ..config(Preset::Firebase) };
    let of = |project: &str| claims(&format!("https://securetoken.google.com/{project}"), "my-project");
    assert_eq!(refusal(config("my-project"), &of("my-project")), None);
    assert_eq!(refusal(config("my-project"), &of("other-project")), Some(ErrorCode::BadIssuer));
    assert_eq!(refusal(config("other-project"), &of("other-project")), Some(ErrorCode::BadAudience));
    let mut nobody = of("my-project");
    nobody["sub"] = json!("");
    assert_eq!(refusal(config("my-project"), &nobody), Some(ErrorCode::BadClaimType));

    let two = VerifierConfig { audiences: Audiences::OneOf(vec!["a".into(), "b".into()]), ..config("a") };
    let any = VerifierConfig { audiences: Audiences::Any, ..config("a") };
    for mistake in [config("https://my-project"), config("my project"), two, any] {
        let Err(error) = Verifier::new(mistake) else { panic!("made") };
        assert!(error.to_string().contains("expected the Firebase project's id"), "{error}");
    }
}

#[test]
fn keys_come_from_the_issuer_of_the_preset() {
    let google = "https://www.googleapis.com/oauth2/v3/certs";
    let firebase = "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com";
    for (preset, iss, aud, url) in [
        (Preset::Google, GOOGLE, AUDIENCE, google),
        (Preset::Eventarc, "accounts.google.com", AUDIENCE, google),
        (Preset::Firebase, "https://securetoken.google.com/p", "p", firebase),
    ] {
        let config = VerifierConfig {
            audiences: aud.into(),
            callers: Callers::Any,
            keys: KeySource::Preset,
            ..config(preset)
        };
        let verifier = Verifier::new(config).unwrap();
        let Verdict::NeedsKeys(mut fetch) = verifier.check(&token(&claims(iss, aud)), Now::steady(NOW))
        else {
            panic!("no keys were asked for")
        };
        let Step::Send(request) = fetch.resume(Now::steady(NOW), Reply::Start) else { panic!("no request") };
        assert_eq!(request.url, url);
    }
}

#[test]
fn a_presets_issuer_signs_as_it_does() {
    for (preset, alg) in [(Preset::Google, Algorithm::Es256), (Preset::Firebase, Algorithm::Ps256)] {
        let config = VerifierConfig { algorithms: vec![alg], audiences: "a".into(), ..config(preset) };
        let Err(error) = Verifier::new(config.clone()) else { panic!("made") };
        assert!(error.to_string().contains(&format!("`algorithms` holds {alg}")), "{error}");
        let other_issuer = VerifierConfig { issuers: vec!["https://issuer.example".into()], ..config };
        assert!(Verifier::new(other_issuer).is_ok());
    }
}

#[test]
fn an_iap_audience_has_one_of_its_forms() {
    let with = |audience: &str| VerifierConfig { audiences: audience.into(), ..config(Preset::Iap) };
    for audience in ["/projects/1/global/backendServices/2", "/projects/1/apps/my-project"] {
        assert!(Verifier::new(with(audience)).is_ok(), "{audience}");
    }
    let Err(error) = Verifier::new(with("https://my-service.example")) else { panic!("made") };
    assert_eq!(error.code(), ErrorCode::InvalidOption);
    assert!(error.to_string().contains("/projects/NUMBER/locations/REGION/services/NAME"), "{error}");
}

#[test]
fn a_stripped_token_proves_nothing() {
    let verifier = Verifier::new(config(Preset::Google)).unwrap();
    let error = decide(&verifier, &stripped(&claims(GOOGLE, AUDIENCE))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::SignatureStripped);
    assert!(error.to_string().contains("X-Serverless-Authorization"), "{error}");
}

#[test]
fn whoever_trusts_cloud_run_gets_claims_that_say_so() {
    let config = VerifierConfig {
        trust_cloud_run_and_skip_signature: true,
        callers: Callers::Emails(vec![CALLER.into()]),
        ..config(Preset::CloudRun)
    };
    let verifier = opened(config.clone(), &ON_CLOUD_RUN).unwrap();
    let good = claims(GOOGLE, AUDIENCE);
    assert!(decide(&verifier, &stripped(&good)).unwrap().is_unverified());
    assert!(!decide(&verifier, &token(&good)).unwrap().is_unverified());

    for (name, value, expected) in [
        ("iss", json!("https://issuer.example"), ErrorCode::BadIssuer),
        ("aud", json!("https://other.example"), ErrorCode::BadAudience),
        ("exp", json!(NOW.as_secs() - 30), ErrorCode::TokenExpired),
        ("email", json!("other@a"), ErrorCode::EmailNotAllowed),
        ("email_verified", json!(false), ErrorCode::EmailNotVerified),
    ] {
        let mut claims = good.clone();
        claims[name] = value;
        assert_eq!(decide(&verifier, &stripped(&claims)).unwrap_err().code(), expected);
    }
    let forged = format!("{}x", stripped(&good));
    assert!(decide(&verifier, &forged).is_err(), "only the marker itself takes the place of a signature");
    for none in ["", "e30", "SIGNATURE_REMOVED_BY_GOOGLE."] {
        let token = format!("{}.{none}", stripped(&good).rsplit_once('.').unwrap().0);
        assert!(decide(&verifier, &token).is_err(), "{none}");
    }

    let mistakes = [
        ("K_SERVICE is not set", &[][..], config.clone()),
        ("K_SERVICE is not set", &[("K_SERVICE", "")], config.clone()),
        (
            "without a preset of Google",
            &ON_CLOUD_RUN,
            VerifierConfig {
                preset: Some(Preset::Oidc),
                issuers: vec!["https://issuer.example".into()],
                ..config
            },
        ),
    ];
    for (expected, env, config) in mistakes {
        let Err(error) = opened(config, env) else { panic!("{expected}: made") };
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_receiver_that_trusts_cloud_run_takes_the_token_that_it_checked() {
    let headers = TokenHeaders {
        authorization: Some("Bearer forged.claims.SIGNATURE_REMOVED_BY_GOOGLE"),
        x_serverless_authorization: Some("Bearer checked.by.SIGNATURE_REMOVED_BY_GOOGLE"),
        ..TokenHeaders::default()
    };
    let trusting = VerifierConfig {
        trust_cloud_run_and_skip_signature: true,
        callers: Callers::Any,
        ..config(Preset::CloudRun)
    };
    let token =
        |config| opened(config, &ON_CLOUD_RUN).unwrap().token_from_headers(&headers).unwrap().to_owned();
    assert_eq!(token(trusting), "checked.by.SIGNATURE_REMOVED_BY_GOOGLE");
    assert_eq!(token(config(Preset::Google)), "forged.claims.SIGNATURE_REMOVED_BY_GOOGLE");
}
