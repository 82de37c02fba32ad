//! Explanations say what the verifier decides, and why.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use gatepass_core::explain::{Explanation, Kind, Level, Question, explain};
use gatepass_core::{
    Audiences, Callers, ErrorCode, KeySource, Millis, Now, Preset, Verdict, Verifier, VerifierConfig,
};
use serde_json::{Value, json};
use support::{CALLER, NOW, claims, stripped, token};

const GOOGLE: &str = "https://accounts.google.com";
const AUDIENCE: &str = "https://svc-abc-uc.a.run.app";
const ACCOUNT: &str = "caller@project.iam.gserviceaccount.com";

fn config() -> VerifierConfig {
    VerifierConfig {
        preset: Some(Preset::Google),
        audiences: AUDIENCE.into(),
        keys: support::keys(),
        ..VerifierConfig::default()
    }
}

fn ask(config: VerifierConfig, token: &str) -> Explanation {
    explain(config, &Question { token, now: NOW, ..Question::default() }).unwrap()
}

/// Code and cause of each finding.
fn found(explanation: &Explanation) -> Vec<(&str, &str)> {
    let findings = explanation.findings.iter();
    findings.map(|f| (f.code.map_or("", ErrorCode::as_str), f.cause.unwrap_or(""))).collect()
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims(GOOGLE, AUDIENCE);
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims(GOOGLE, AUDIENCE);
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn a_good_token_is_accepted() {
    let explanation = ask(config(), &token(&claims(GOOGLE, AUDIENCE)));
    assert_eq!((explanation.accepted, explanation.kind), (Some(true), Kind::GoogleIdToken));
    assert!(explanation.findings.is_empty());
    let text = explanation.to_string();
    for expected in ["a Google ID token", AUDIENCE, CALLER, "2027-01-15 07:59:00 UTC", "It is accepted."] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut claims = with("aud", json!("https://tag---svc-abc-uc.a.run.app"));
    claims["exp"] = json!(NOW.as_secs() - 7_260);
    claims["iat"] = json!(NOW.as_secs() - 10_860);
    claims["email"] = json!("other@a");
    let explanation =
        ask(VerifierConfig { callers: Callers::Emails(vec![CALLER.into()]), ..config() }, &token(&claims));
    assert_eq!(explanation.accepted, Some(false));
    assert_eq!(
        found(&explanation),
        [("BAD_AUDIENCE", "traffic_tag"), ("TOKEN_EXPIRED", ""), ("EMAIL_NOT_ALLOWED", "")]
    );
    let text = explanation.to_string();
    for expected in
        ["tag---svc", "exp is 2027-01-15 05:59:00 UTC, 2 h 1 min before now", "\"other@a\"", AUDIENCE]
    {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn causes_are_told_apart() {
    let emails = VerifierConfig { callers: Callers::Emails(vec![CALLER.into()]), ..config() };
    let stranger = VerifierConfig { keys: KeySource::Static(r#"{"keys":[{"kid":"a"}]}"#.into()), ..config() };
    let iap =
        VerifierConfig { audiences: "/projects/1/apps/a".into(), preset: Some(Preset::Iap), ..config() };
    let good = token(&claims(GOOGLE, AUDIENCE));
    let cases = [
        (config(), token(&with("aud", json!(format!("{AUDIENCE}/")))), ("BAD_AUDIENCE", "trailing_slash")),
        (config(), token(&with("aud", json!([format!("{AUDIENCE}/x")]))), ("BAD_AUDIENCE", "path")),
        (config(), token(&with("aud", json!("https://other.example"))), ("BAD_AUDIENCE", "")),
        (config(), token(&with("iat", json!(NOW.as_secs() + 300))), ("TOKEN_ISSUED_IN_FUTURE", "clock")),
        (
            config(),
            token(&with("iss", json!("https://cloud.google.com/iap"))),
            ("BAD_ISSUER", "other_preset"),
        ),
        (config(), stripped(&claims(GOOGLE, AUDIENCE)), ("SIGNATURE_STRIPPED", "")),
        (stranger, good.clone(), ("UNKNOWN_KEY", "")),
        (emails, token(&without("email")), ("EMAIL_NOT_ALLOWED", "email_missing")),
        (config(), token(&without("email")), ("", "email_missing")),
        (iap, good.clone(), ("ALG_NOT_ALLOWED", "")),
        (config(), format!("Bearer {good}"), ("TOKEN_MALFORMED", "bearer_prefix")),
        (config(), format!("> Host: a\n> authorization: Bearer {good}\n>"), ("", "request")),
        (config(), format!("\"{good}\""), ("TOKEN_MALFORMED", "quotes")),
        (config(), format!("{good}\n"), ("TOKEN_MALFORMED", "white_space")),
        (config(), good.replacen('.', ".\n", 1), ("TOKEN_MALFORMED", "line_breaks")),
        (config(), format!("{good}=="), ("TOKEN_MALFORMED", "padding")),
    ];
    for (config, token, expected) in cases {
        let explanation = ask(config, &token);
        let first = found(&explanation).first().copied().unwrap_or_default();
        assert_eq!(first, expected, "{explanation}");
    }
}

#[test]
fn what_is_no_id_token_is_named() {
    let assertion = |claims: Value| token(&claims);
    let own = json!({"iss": ACCOUNT, "sub": ACCOUNT, "aud": "https://oauth2.googleapis.com/token",
        "target_audience": AUDIENCE, "iat": NOW.as_secs(), "exp": NOW.as_secs() + 3600});
    let api = json!({"iss": ACCOUNT, "sub": ACCOUNT, "aud": "https://pubsub.googleapis.com/",
        "iat": NOW.as_secs(), "exp": NOW.as_secs() + 3600});
    for (text, kind, words) in [
        ("ya29.a0AfB_byC".to_owned(), Kind::AccessToken, "fetch_id_token"),
        (assertion(own), Kind::SelfSignedAssertion, "jwt-bearer"),
        (assertion(api), Kind::SelfSignedAccessToken, "a service account's own"),
        ("1//0gRefresh".into(), Kind::NotAToken, "refresh token"),
        ("AIzaSyKey".into(), Kind::NotAToken, "API key"),
        (String::new(), Kind::NotAToken, "the text is empty"),
        ("<html>".into(), Kind::NotAToken, "HTML"),
        ("{\"id_token\":1}".into(), Kind::NotAToken, "JSON"),
        ("some words".into(), Kind::NotAToken, "no JWT"),
    ] {
        let explanation = ask(config(), &text);
        assert_eq!((explanation.accepted, explanation.kind), (Some(false), kind), "{text}");
        let text = explanation.to_string();
        assert!(text.contains(words), "{text}");
        let errors = explanation.findings.iter().filter(|finding| finding.level == Level::Error);
        assert!(errors.count() <= 2, "{text}");
    }
}

#[test]
fn what_the_options_leave_open_comes_from_the_question() {
    let good = token(&claims(GOOGLE, AUDIENCE));
    let nothing = ask(VerifierConfig::default(), &good);
    assert_eq!(nothing.accepted, None);
    assert_eq!(found(&nothing), [("", "signature_not_checked"), ("", "audience_not_compared")]);

    let url = |url| {
        let config = VerifierConfig { keys: support::keys(), ..VerifierConfig::default() };
        explain(config, &Question { token: &good, url: Some(url), now: NOW, ..Question::default() })
    };
    assert_eq!(url("https://tag---svc-abc-uc.a.run.app/x").unwrap().accepted, Some(true));
    assert_eq!(url("https://other.example/x").unwrap().accepted, Some(false));
    assert_eq!(url("not a URL").unwrap_err().code(), ErrorCode::InvalidAudience);

    let firebase = token(&claims("https://securetoken.google.com/my-project", "my-project"));
    let explanation = ask(VerifierConfig { keys: support::keys(), ..VerifierConfig::default() }, &firebase);
    assert_eq!((explanation.accepted, explanation.kind), (None, Kind::Firebase));
    assert_eq!(found(&explanation), [("", "audience_not_compared")]);
    let any = VerifierConfig { audiences: Audiences::Any, ..VerifierConfig::default() };
    assert_eq!(ask(any, &firebase).accepted, None);
    let project = VerifierConfig { preset: None, audiences: "my-project".into(), ..config() };
    assert_eq!(ask(project, &firebase).accepted, Some(true));
    let no_project = VerifierConfig { preset: Some(Preset::Firebase), ..VerifierConfig::default() };
    let question = Question { token: &good, now: NOW, ..Question::default() };
    assert_eq!(explain(no_project, &question).unwrap_err().code(), ErrorCode::InvalidOption);

    let sender = VerifierConfig { preset: Some(Preset::PubSub), ..config() };
    assert_eq!(ask(sender, &good).accepted, Some(true), "an explanation needs no list of callers");
    let issuer =
        VerifierConfig { issuers: vec!["https://issuer.example".into()], ..VerifierConfig::default() };
    let other = token(&claims("https://issuer.example", AUDIENCE));
    assert_eq!(found(&ask(issuer, &other)), [("", "signature_not_checked"), ("", "audience_not_compared")]);
}

#[test]
fn a_url_or_a_header_that_does_not_fit_is_said() {
    let good = token(&claims(GOOGLE, AUDIENCE));
    let ask = |url, header| {
        let question = Question { token: &good, url, header, now: NOW };
        explain(config(), &question).unwrap()
    };
    let domain = ask(Some("https://orders.example/x"), None);
    assert_eq!((domain.accepted, found(&domain)), (Some(true), vec![("", "audience_of_url")]));
    assert_eq!(ask(Some(AUDIENCE), Some("AUTHORIZATION")).findings, []);
    for header in ["X-Goog-IAP-JWT-Assertion", "X-Auth-Token"] {
        let explanation = ask(None, Some(header));
        assert_eq!(explanation.accepted, Some(false));
        assert_eq!(found(&explanation), [("TOKEN_MISSING", "wrong_header")], "{explanation}");
    }
}

#[test]
fn trust_in_cloud_run_is_said() {
    let config = VerifierConfig { trust_cloud_run_and_skip_signature: true, ..config() };
    let explanation = ask(config, &stripped(&claims(GOOGLE, AUDIENCE)));
    assert_eq!((explanation.accepted, found(&explanation)), (Some(true), vec![("", "cloud_run_trusted")]));
}

#[test]
fn explanations_of_the_attack_corpus_agree_with_the_verifier_and_show_no_token() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/verify/attack_corpus.json");
    let text = std::fs::read_to_string(file).unwrap().replace(r"\ud800", r"\ufffd");
    let corpus: Value = serde_json::from_str(&text).unwrap();
    for case in corpus["cases"].as_array().unwrap() {
        let profile = case["profile"].as_str().unwrap();
        let config = VerifierConfig {
            preset: Preset::from_name(profile),
            audiences: corpus["profiles"][profile]["audience"].as_str().unwrap().into(),
            keys: KeySource::Static(corpus["jwks"][case["jwks"].as_str().unwrap()].to_string()),
            leeway_seconds: case["leeway"].as_u64().unwrap(),
            callers: case["opts"]["email"]
                .as_str()
                .map_or(Callers::Unspecified, |email| Callers::Emails(vec![email.to_owned()])),
            ..VerifierConfig::default()
        };
        let token = case["token"].as_str().unwrap();
        let now = Millis::from_secs(case["now"].as_u64().unwrap());
        let verifier = Verifier::new(config).unwrap();
        let explanation = verifier.explain(&Question { token, now, ..Question::default() });
        match verifier.check(token, Now::steady(now)) {
            Verdict::Accepted(..) => assert_eq!(explanation.accepted, Some(true), "{}", case["id"]),
            Verdict::Rejected(error) => {
                assert_eq!(explanation.accepted, Some(false), "{}", case["id"]);
                let first = explanation.findings.first().unwrap();
                // What surrounds a token, and what kind of text it is, is told instead of what follows from it.
                assert!(
                    first.code == Some(error.code()) || first.cause.is_some(),
                    "{}: {explanation}",
                    case["id"]
                );
            }
            _ => panic!("asked for keys"),
        }
        let shown = format!("{explanation} {:?}", explanation.claimed);
        for part in token.split('.').filter(|part| part.len() >= 16) {
            assert!(!shown.contains(part), "{}: {shown}", case["id"]);
        }
    }
}

#[test]
fn what_is_no_id_token_has_the_code_and_the_cause_of_its_kind() {
    let own = |aud: &str| json!({"iss": ACCOUNT, "sub": ACCOUNT, "aud": aud, "iat": NOW.as_secs(), "exp": NOW.as_secs() + 3600});
    for (text, expected) in [
        ("ya29.a0AfB_byC".to_owned(), ("TOKEN_MALFORMED", "access_token")),
        ("words".to_owned(), ("TOKEN_MALFORMED", "not_a_token")),
        (token(&own("https://oauth2.googleapis.com/token")), ("BAD_ISSUER", "self_signed_assertion")),
        (token(&own("https://pubsub.googleapis.com/")), ("BAD_ISSUER", "self_signed_access_token")),
    ] {
        assert_eq!(found(&ask(config(), &text)), [expected], "{text}");
    }
    // A receiver may want a service account's own tokens.
    let wanted = VerifierConfig {
        preset: None,
        issuers: vec![ACCOUNT.into()],
        algorithms: vec![gatepass_core::Algorithm::Rs256],
        audiences: "https://pubsub.googleapis.com/".into(),
        ..config()
    };
    let explanation = ask(wanted, &token(&own("https://pubsub.googleapis.com/")));
    assert_eq!((explanation.accepted, found(&explanation)), (Some(true), Vec::new()));
}

#[test]
fn what_a_claim_says_of_its_issuer_is_not_taken_for_an_option() {
    let firebase = token(&claims("https://securetoken.google.com/my-project", "my-project"));
    let any = VerifierConfig { audiences: Audiences::Any, ..config() };
    assert_eq!(found(&ask(any, &firebase)), [("BAD_ISSUER", "other_preset")]);
    let ours = VerifierConfig { preset: Some(Preset::Firebase), audiences: "our-project".into(), ..config() };
    let codes: Vec<_> = found(&ask(ours, &firebase)).into_iter().map(|(code, _)| code.to_owned()).collect();
    assert_eq!(codes, ["BAD_ISSUER", "BAD_AUDIENCE"]);
}

#[test]
fn a_damaged_payload_is_one_mistake() {
    let good = token(&claims(GOOGLE, AUDIENCE));
    let parts: Vec<_> = good.split('.').collect();
    let damaged = format!("{}.AAAAA.{}", parts[0], parts[2]);
    let codes: Vec<_> =
        found(&ask(config(), &damaged)).into_iter().map(|(code, _)| code.to_owned()).collect();
    assert_eq!(codes, ["TOKEN_MALFORMED"]);
}

#[test]
fn a_header_in_which_the_receiver_looks_is_no_mistake() {
    let good = token(&claims(GOOGLE, AUDIENCE));
    for (header, is_read) in [
        ("authorization", true),
        ("X-Serverless-Authorization", true),
        ("X-Goog-IAP-JWT-Assertion", false),
        ("Cookie", false),
    ] {
        let question = Question { token: &good, header: Some(header), now: NOW, ..Question::default() };
        assert_eq!(explain(config(), &question).unwrap().accepted, Some(is_read), "{header}");
    }
    let iap =
        || VerifierConfig { audiences: "/projects/1/apps/a".into(), preset: Some(Preset::Iap), ..config() };
    for (header, is_read) in [("X-Goog-IAP-JWT-Assertion", true), ("Authorization", false)] {
        let question = Question { token: &good, header: Some(header), now: NOW, ..Question::default() };
        let explanation = explain(iap(), &question).unwrap();
        assert_eq!(
            !explanation.to_string().contains("where this receiver does not look"),
            is_read,
            "{header}"
        );
    }
}

#[test]
fn a_missing_email_is_said_once_and_of_googles_tokens_only() {
    let emails = VerifierConfig { callers: Callers::Emails(vec![CALLER.into()]), ..config() };
    let explanation = ask(emails, &token(&without("email")));
    assert_eq!(found(&explanation), [("EMAIL_NOT_ALLOWED", "email_missing")]);
    let mut other = claims("https://issuer.example", AUDIENCE);
    other.as_object_mut().unwrap().remove("email");
    let oidc = VerifierConfig {
        preset: None,
        issuers: vec!["https://issuer.example".into()],
        algorithms: vec![gatepass_core::Algorithm::Rs256],
        ..config()
    };
    assert_eq!(found(&ask(oidc, &token(&other))), []);
}

#[test]
fn trust_in_cloud_run_is_said_of_a_removed_signature_only() {
    let config = VerifierConfig { trust_cloud_run_and_skip_signature: true, ..config() };
    assert_eq!(ask(config, &token(&claims(GOOGLE, AUDIENCE))).findings, []);
}

#[test]
fn the_json_form_says_what_the_text_says() {
    let explanation = ask(config(), &token(&with("aud", json!(format!("{AUDIENCE}/")))));
    let finding = &explanation.findings[0];
    let json: serde_json::Value = serde_json::from_str(&explanation.to_json()).unwrap();
    assert_eq!(
        json,
        json!({
            "accepted": false,
            "kind": "google_id_token",
            "claims": {
                "iss": GOOGLE, "aud": [format!("{AUDIENCE}/")], "email": CALLER,
                "iat": NOW.as_secs() - 60, "exp": NOW.as_secs() + 3540,
            },
            "findings": [{
                "level": "error", "code": "BAD_AUDIENCE", "cause": "trailing_slash", "title": finding.title,
                "found": finding.found, "todo": finding.todo,
            }],
            "text": explanation.to_string(),
        })
    );
    let note: serde_json::Value =
        serde_json::from_str(&ask(VerifierConfig::default(), &token(&without("email"))).to_json()).unwrap();
    let levels: Vec<_> = note["findings"].as_array().unwrap().iter().map(|f| f["level"].clone()).collect();
    assert_eq!(
        (&note["accepted"], levels),
        (&json!(null), vec![json!("warning"), json!("note"), json!("note")])
    );
}

#[test]
fn kinds_have_the_names_that_programs_read() {
    let kinds = [
        Kind::GoogleIdToken,
        Kind::IapAssertion,
        Kind::Firebase,
        Kind::Oidc,
        Kind::AccessToken,
        Kind::SelfSignedAssertion,
        Kind::SelfSignedAccessToken,
        Kind::OtherJwt,
        Kind::NotAToken,
    ];
    assert_eq!(
        kinds.map(Kind::as_str),
        [
            "google_id_token",
            "iap_assertion",
            "firebase",
            "oidc",
            "access_token",
            "self_signed_assertion",
            "self_signed_access_token",
            "other_jwt",
            "not_a_token",
        ]
    );
}
