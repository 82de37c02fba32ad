//! Every input of tests/vectors/client, the fetching side's attack corpus, through the bridge.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass_bridge::{Lookup, Now, Op, Source, Verdict, Verifier};
use gatepass_core::ErrorCode;
use gatepass_vectors::host::check_by_bridge;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000_000;

/// This moment by two clocks that go together.
fn at(now_ms: u64) -> Now {
    gatepass_bridge::now(now_ms, now_ms)
}
const AUDIENCE: &str = "https://orders-7f3kq2x4ca-uc.a.run.app";
/// Reasons of the corpus, and the error codes that represent each.
const CODES: [(&str, &[&str]); 4] = [
    ("bad_endpoint", &["ENDPOINT_NOT_ALLOWED"]),
    ("bad_source", &["CREDENTIALS_FILE_INVALID", "EXECUTABLE_NOT_ALLOWED"]),
    ("bad_file", &["CREDENTIALS_FILE_INVALID", "CREDENTIALS_TYPE_UNKNOWN"]),
    ("bad_audience_argument", &["INVALID_AUDIENCE"]),
];

#[test]
fn attack_corpus() {
    let corpus = gatepass_vectors::read("client/attack_corpus.json");
    let wrong: Vec<String> = corpus["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|case| {
            decide(case).err().map(|found| format!("{} {}: {found}", case["id"], case["name"]))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn decide(case: &Value) -> Result<(), String> {
    let text = |name: &str| case[name].as_str().unwrap_or_default();
    match text("kind") {
        "credential_file" => credential_file(case, text("input")),
        "audience" => audience(case, text("input")),
        "token_response" | "redirect" => token_response(case),
        "metadata_response" => metadata_response(case),
        "jwks_response" => jwks_response(case),
        "header_value" => header_value(case, text("input")),
        other => Err(format!("an unknown kind {other}")),
    }
}

/// Accepted: the next step asks for something. An executable source is refused when it is about to run.
fn credential_file(case: &Value, content: &str) -> Result<(), String> {
    let mut op = fetch(
        json!({"seed": 1, "credentials_json": content}),
        "access_token",
        "https://www.googleapis.com/auth/cloud-platform",
    );
    resume(&mut op, json!({"reply": "start"}));
    let mut step = resume(&mut op, json!({"reply": "env", "values": {}}));
    if step["step"] == "read_env" {
        let environment = case.get("env").cloned().unwrap_or_else(|| json!({}));
        step = resume(&mut op, json!({"reply": "env", "values": environment}));
    }
    expect(case, &step)
}

fn audience(case: &Value, audience: &str) -> Result<(), String> {
    let source = Source::new(r#"{"seed":1}"#).unwrap();
    match source.lookup("id_token", audience, at(NOW)) {
        Err(failure) => expect(case, &json!({"step": "fail", "error": {"code": failure.code().as_str()}})),
        Ok(Lookup::Fetch(mut op)) => {
            resume(&mut op, json!({"reply": "start"}));
            let step = resume(&mut op, json!({"reply": "env", "values": {"GCE_METADATA_HOST": "127.0.0.1"}}));
            expect(case, &step)?;
            let url = step["url"].as_str().unwrap_or_default();
            let wire = case["wire"].as_str().unwrap_or_default();
            if url.contains(&format!("?{wire}&")) { Ok(()) } else { Err(format!("asked {url}")) }
        }
        Ok(_) => Err("no fetch".into()),
    }
}

fn token_response(case: &Value) -> Result<(), String> {
    let body = case["body"].as_str().unwrap_or_default();
    let (kind, target) =
        if body.contains("access_token") { ("access_token", "a") } else { ("id_token", AUDIENCE) };
    let corpus = gatepass_vectors::read("client/attack_corpus.json");
    let mut op = fetch(json!({"seed": 1, "credentials_json": corpus["cases"][0]["input"]}), kind, target);
    resume(&mut op, json!({"reply": "start"}));
    assert_eq!(resume(&mut op, json!({"reply": "env", "values": {}}))["step"], "send");
    outcome(case, &resume(&mut op, response(case)))
}

fn metadata_response(case: &Value) -> Result<(), String> {
    let mut op = fetch(json!({"seed": 1}), "id_token", AUDIENCE);
    resume(&mut op, json!({"reply": "start"}));
    resume(&mut op, json!({"reply": "env", "values": {"GCE_METADATA_HOST": "127.0.0.1"}}));
    outcome(case, &resume(&mut op, response(case)))
}

/// The keys' life shows in when a caller waits for new ones: a day after its end. A token that none of them has signed is
/// refused until then, and nothing is asked.
fn jwks_response(case: &Value) -> Result<(), String> {
    let options = json!({"preset": "google", "any_audience": true, "keys_url": "https://www.googleapis.com/oauth2/v3/certs"});
    let verifier = Verifier::new(&options.to_string()).unwrap();
    let keys: Value = serde_json::from_str(case["body"].as_str().unwrap()).unwrap_or_default();
    let kid = keys["keys"][0]["kid"]
        .as_str()
        .or(keys.as_object().and_then(|map| map.keys().next()).map(String::as_str));
    let header = json!({"alg": "RS256", "kid": kid.unwrap_or("a")}).to_string();
    let token = format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(header), "AAAA".repeat(86));
    let token = token.as_bytes();
    let Ok(Verdict::NeedsKeys(mut op)) = check_by_bridge(&verifier, token, at(NOW)) else {
        return Err("keys were not asked for".into());
    };
    resume(&mut op, json!({"reply": "start"}));
    let step = resume(&mut op, response(case));
    if case["expected"] == "keep_old_keys" {
        return if step["error"]["code"] == "KEYS_UNAVAILABLE" { Ok(()) } else { Err(step.to_string()) };
    }
    if step["step"] != "done" {
        return Err(step.to_string());
    }
    let ttl = case["expected"]["ttl"].as_u64().unwrap() * 1000;
    let end = NOW + ttl + 24 * 3_600_000;
    for now in [NOW, end - 1] {
        match check_by_bridge(&verifier, token, at(now)) {
            Err(refused) if refused.code() == ErrorCode::BadSignature => {}
            Err(refused) => return Err(refused.to_json()),
            Ok(_) => return Err(format!("asked again before {ttl} ms and a day were over")),
        }
    }
    match check_by_bridge(&verifier, token, at(end)) {
        Ok(Verdict::NeedsKeys(_)) => Ok(()),
        _ => Err(format!("not asked again after {ttl} ms and a day")),
    }
}

fn header_value(case: &Value, token: &str) -> Result<(), String> {
    let corpus = gatepass_vectors::read("client/attack_corpus.json");
    let mut op =
        fetch(json!({"seed": 1, "credentials_json": corpus["cases"][0]["input"]}), "access_token", "a");
    resume(&mut op, json!({"reply": "start"}));
    resume(&mut op, json!({"reply": "env", "values": {}}));
    let body = json!({"access_token": token, "expires_in": 3599}).to_string();
    let step = resume(&mut op, json!({"reply": "response", "status": 200, "headers": [], "body": body}));
    let accepted = step["step"] == "done";
    if accepted == (case["expected"] == "accept") { Ok(()) } else { Err(step.to_string()) }
}

/// Compares a step with `accept` or `reject` and its reason.
fn expect(case: &Value, step: &Value) -> Result<(), String> {
    let reason = case["reason"].as_str().unwrap_or_default();
    let allowed = CODES.iter().find(|(name, _)| *name == reason).map_or(&[] as &[&str], |(_, codes)| codes);
    let right = match step["step"].as_str() {
        Some("fail") => {
            case["expected"] == "reject" && allowed.iter().any(|code| step["error"]["code"] == *code)
        }
        _ => case["expected"] == "accept",
    };
    if right { Ok(()) } else { Err(step.to_string()) }
}

/// Compares the step after a response with what the corpus expects of it.
fn outcome(case: &Value, step: &Value) -> Result<(), String> {
    let right = match case["expected"].as_str().unwrap() {
        "token" => step["output"]["expires_at_ms"] == case["expires_at"].as_u64().unwrap() * 1000,
        "token_clamped" => step["output"]["expires_at_ms"].as_u64().is_some_and(|at| at <= NOW + 43_200_000),
        "token_short" => step["output"]["expires_at_ms"].as_u64().is_some_and(|at| at <= NOW + 300_000),
        "retry" => step["step"] == "wait",
        "retry_after_7" => step["delay_ms"] == 7000,
        "fail" => step["step"] == "fail",
        "fail_no_secret_in_message" => {
            let message = step["error"]["message"].as_str().unwrap_or("eyJ");
            step["step"] == "fail" && !message.contains("eyJ") && !message.contains("ya29")
        }
        _ => false,
    };
    if right { Ok(()) } else { Err(step.to_string()) }
}

fn fetch(options: Value, kind: &str, target: &str) -> Op {
    let source = Source::new(&options.to_string()).unwrap();
    let Ok(Lookup::Fetch(op)) = source.lookup(kind, target, at(NOW)) else { panic!("no fetch") };
    op
}

fn resume(op: &mut Op, reply: Value) -> Value {
    serde_json::from_str(&gatepass_vectors::host::resume(op, at(NOW), &reply.to_string())).unwrap()
}

fn response(case: &Value) -> Value {
    let mut headers: Vec<Value> =
        case["headers"].as_object().into_iter().flatten().map(|(n, v)| json!([n, v])).collect();
    headers.extend(case["location"].as_str().map(|location| json!(["location", location])));
    json!({"reply": "response", "status": case["status"], "headers": headers, "body": case["body"].as_str().unwrap_or_default()})
}
