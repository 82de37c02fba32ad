//! What crosses the border fits the schemas, and the schemas fit nothing else.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;

use gatepass_bridge::{KeyCache, Lookup, Op, Source, Verifier, begin_explain_token, explain_token, now};
use gatepass_core::ErrorCode;
use gatepass_interface::{Interface, read, repository};
use serde_json::{Value, json};

#[track_caller]
fn assert_fits(interface: &mut Interface, schema: &str, value: &Value) {
    if let Err(why) = interface.check(schema, value) {
        panic!("{schema}: {value:#}\n{why}");
    }
}

fn vectors(folder: &str) -> Vec<Value> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(repository().join("tests/vectors").join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        cases.extend(file["cases"].as_array().into_iter().flatten().cloned());
    }
    assert!(!cases.is_empty(), "{folder}");
    cases
}

fn clock(entry: &Value, member: &str) -> gatepass_bridge::Now {
    let unix = entry[member].as_u64().unwrap();
    now(unix, entry["monotonic_ms"].as_u64().unwrap_or(unix))
}

/// The names of the members that a schema knows, its alternatives included.
fn names(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn steps_and_replies_of_every_transcript() {
    let mut interface = Interface::new();
    let (mut steps, mut replies) = (BTreeSet::new(), BTreeSet::new());
    for case in vectors("acquire") {
        assert_fits(&mut interface, "source_options", &case["options"]);
        let source = Source::new(&case["options"].to_string()).unwrap();
        let transcript = case["transcript"].as_array().unwrap();
        let (kind, target) = (case["kind"].as_str().unwrap(), case["target"].as_str().unwrap());
        let Lookup::Fetch(mut op) = source.lookup(kind, target, clock(&transcript[0], "now_ms")).unwrap()
        else {
            panic!("{}: no fetch", case["name"])
        };
        for entry in transcript {
            assert_fits(&mut interface, "reply", &entry["reply"]);
            let step = op.resume(clock(entry, "now_ms"), &entry["reply"].to_string());
            let step: Value = serde_json::from_str(&step).unwrap();
            assert_fits(&mut interface, "step", &step);
            steps.insert(step["step"].as_str().unwrap().to_owned());
            replies.insert(entry["reply"]["reply"].as_str().unwrap().to_owned());
        }
    }
    let by_host = check_of_a_signature().into_iter().chain([signing()]);
    for (reply, step) in by_host {
        assert_fits(&mut interface, "reply", &reply);
        assert_fits(&mut interface, "step", &step);
        steps.insert(step["step"].as_str().unwrap().to_owned());
        replies.insert(reply["reply"].as_str().unwrap().to_owned());
    }
    // A vector for each: a schema of something that never happens would prove nothing.
    let known = |schema: &str, member: &str| -> BTreeSet<String> {
        let schema = read(&format!("{schema}.schema.json")).unwrap();
        let alternatives = schema["oneOf"].as_array().unwrap();
        alternatives
            .iter()
            .map(|one| one["properties"][member]["const"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(steps, known("step", "step"));
    assert_eq!(replies, known("reply", "reply"));
}

/// What no vector has a transcript of: a token that is explained where the host has arithmetic of its own.
fn check_of_a_signature() -> Vec<(Value, Value)> {
    let path = repository().join("tests/vectors/verify/attack_corpus.json");
    let corpus: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let case = corpus["cases"].as_array().unwrap().iter().find(|case| case["expected"] == "accept").unwrap();
    let options = json!({"keys": corpus["jwks"][case["jwks"].as_str().unwrap()].to_string()}).to_string();
    let (token, now_ms) = (case["token"].as_str().unwrap(), case["now"].as_u64().unwrap() * 1000);
    let mut op = begin_explain_token(&options, token, now_ms).unwrap();
    let replies = [json!({"reply": "start"}), json!({"reply": "checked", "is_valid": true})];
    let transcript = replies.map(|reply| {
        let step = op.resume(now(now_ms, 0), &reply.to_string());
        (reply, serde_json::from_str(&step).unwrap())
    });
    transcript.into()
}

/// What only a core asks that computes no signatures. Its own vectors (tests/vectors/rust) compare what it asks with this.
fn signing() -> (Value, Value) {
    (
        json!({"reply": "signed", "signature": "c2ln"}),
        json!({"step": "sign", "alg": "RS256", "key": "a2V5", "data": "ZGF0YQ=="}),
    )
}

/// An explanation by a host that checks signatures is the same as that of the core alone.
#[test]
fn an_explanation_by_steps() {
    let mut interface = Interface::new();
    let path = repository().join("tests/vectors/verify/attack_corpus.json");
    let corpus: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut asked = 0;
    for case in corpus["cases"].as_array().unwrap() {
        let keys = corpus["jwks"][case["jwks"].as_str().unwrap()].to_string();
        let options = json!({"keys": keys, "url": "https://orders-abc-uc.a.run.app/v1"}).to_string();
        let (token, now_ms) = (case["token"].as_str().unwrap(), case["now"].as_u64().unwrap() * 1000);
        let Ok(at_once) = explain_token(&options, token, now_ms) else { continue };
        let mut op = begin_explain_token(&options, token, now_ms).unwrap();
        let mut reply = json!({"reply": "start"});
        let output = loop {
            let step: Value = serde_json::from_str(&op.resume(now(now_ms, 0), &reply.to_string())).unwrap();
            assert_fits(&mut interface, "step", &step);
            match step["step"].as_str() {
                // The core, which computes here, then does it itself.
                Some("check_signature") => {
                    asked += 1;
                    reply = json!({"reply": "failed", "kind": "unsupported", "message": ""});
                }
                Some("done") => break step["output"].clone(),
                _ => panic!("{step}"),
            }
        };
        assert_eq!(output, serde_json::from_str::<Value>(&at_once).unwrap(), "{}", case["name"]);
    }
    assert!(asked > 100, "{asked}");
}

#[test]
fn the_other_operations_end_with_outputs_that_fit() {
    let mut interface = Interface::new();
    let mut drive = |mut op: Op, replies: &[Value]| {
        let mut last = Value::Null;
        for reply in replies {
            assert_fits(&mut interface, "reply", reply);
            last = serde_json::from_str(&op.resume(now(0, 0), &reply.to_string())).unwrap();
            assert_fits(&mut interface, "step", &last);
        }
        last
    };
    let env = |values: Value| json!({"reply": "env", "values": values});
    let start = json!({"reply": "start"});
    let options = json!({"audiences": ["a"]}).to_string();
    let emulator = env(json!({"GATEPASS_DANGEROUSLY_TRUST_EMULATOR": "http://127.0.0.1:8085"}));
    let opened = drive(Verifier::open(&options, &KeyCache::new()).unwrap(), &[start.clone(), emulator]);
    assert_eq!(opened["output"]["warnings"].as_array().map(Vec::len), Some(1));
    let elsewhere = drive(Op::own_audiences(), &[start, env(json!({}))]);
    assert_eq!(elsewhere["step"], "fail");
}

#[test]
fn every_error() {
    let mut interface = Interface::new();
    let codes: Value = serde_json::from_str(&gatepass_bridge::error_codes()).unwrap();
    let in_the_core: Vec<_> = codes.as_array().unwrap().iter().map(|code| &code["code"]).collect();
    let schema = read("error.schema.json").unwrap();
    let in_the_schema: Vec<_> = schema["properties"]["code"]["enum"].as_array().unwrap().iter().collect();
    assert_eq!(in_the_schema, in_the_core);
    for code in ErrorCode::ALL {
        let failure = gatepass_bridge::Failure::from(gatepass_core::Error::new(*code, "found"));
        assert_fits(&mut interface, "error", &serde_json::from_str(&failure.to_json()).unwrap());
    }
}

/// Refusals of real tokens, whose errors say what was found and expected; the log lines about them; their explanations.
#[test]
fn refusals_and_explanations_of_the_attack_corpus() {
    let mut interface = Interface::new();
    let path = repository().join("tests/vectors/verify/attack_corpus.json");
    let corpus: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut reasons = BTreeSet::new();
    for case in corpus["cases"].as_array().unwrap() {
        let profile = case["profile"].as_str().unwrap();
        let options = json!({
            "preset": profile,
            "audiences": [corpus["profiles"][profile]["audience"]],
            "keys": corpus["jwks"][case["jwks"].as_str().unwrap()].to_string(),
            "any_caller": true,
        });
        assert_fits(&mut interface, "verifier_options", &options);
        let (token, seconds) = (case["token"].as_str().unwrap(), case["now"].as_u64().unwrap());
        let verifier = Verifier::new(&options.to_string()).unwrap();
        if let Err(failure) = verifier.check(token.as_bytes(), now(seconds * 1000, 0)) {
            let error = failure.to_json();
            let event = gatepass_bridge::refusal_log(&error, "/orders/7?of=\"me\"\n").unwrap();
            assert_fits(&mut interface, "event", &serde_json::from_str(&event).unwrap());
            let error: Value = serde_json::from_str(&error).unwrap();
            reasons.insert(error["reason"].as_str().map(str::to_owned));
            assert_fits(&mut interface, "error", &error);
        }
        let mut asked = options.clone();
        asked["url"] = json!("https://orders-abc-uc.a.run.app/v1");
        asked["header"] = json!("Authorization");
        assert_fits(&mut interface, "explain_options", &asked);
        if let Ok(explanation) = explain_token(&asked.to_string(), token, seconds * 1000) {
            let explanation: Value = serde_json::from_str(&explanation).unwrap();
            assert_fits(&mut interface, "explanation", &explanation);
        }
    }
    assert!(reasons.len() >= 4, "{reasons:?}");
}

/// The bridge names the options that it knows when it meets one that it does not: they are those of the schema.
#[test]
fn options_are_those_of_the_schemas() {
    let mut interface = Interface::new();
    let unknown = r#"{"no_such_option": 1}"#;
    let message = |failure: gatepass_bridge::Failure| -> String {
        let error: Value = serde_json::from_str(&failure.to_json()).unwrap();
        error["message"].as_str().unwrap().to_owned()
    };
    let refusals = [
        ("source_options", message(Source::new(unknown).err().unwrap())),
        ("verifier_options", message(Verifier::new(unknown).err().unwrap())),
        ("call", message(gatepass_bridge::plan_call(unknown).unwrap_err())),
    ];
    for (schema, message) in refusals {
        let (_, expected) = message.split_once("expected").unwrap();
        let known: BTreeSet<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(names(&read(&format!("{schema}.schema.json")).unwrap()), known, "{schema}");
        assert!(interface.check(schema, &serde_json::from_str(unknown).unwrap()).is_err(), "{schema}");
    }
    let explain = names(&read("explain_options.schema.json").unwrap());
    let mut expected = names(&read("verifier_options.schema.json").unwrap());
    expected.extend(["url".to_owned(), "header".to_owned()]);
    assert_eq!(explain, expected);
}

/// Every option may be null or left out where its schema says so.
#[test]
fn absent_options_may_be_null() {
    for (schema, required, read_options) in [
        ("source_options", json!({"seed": 1}), (|text| Source::new(text).err()) as fn(&str) -> _),
        ("verifier_options", json!({"audiences": ["a"]}), |text| Verifier::new(text).err()),
        ("call", json!({"url": "https://a.example"}), |text| gatepass_bridge::plan_call(text).err()),
    ] {
        let mut interface = Interface::new();
        for name in names(&read(&format!("{schema}.schema.json")).unwrap()) {
            let mut options = required.clone();
            if options.get(&name).is_some() {
                continue;
            }
            options[&name] = Value::Null;
            let in_the_schema = interface.check(schema, &options).is_ok();
            let in_the_bridge = read_options(&options.to_string()).is_none();
            assert_eq!(in_the_schema, in_the_bridge, "{schema}: {name}: null");
        }
    }
}

#[test]
fn a_step_with_a_member_too_few_or_too_many_is_found() {
    let mut interface = Interface::new();
    for (schema, bad) in [
        ("step", json!({"step": "read_file", "path": "a"})),
        ("step", json!({"step": "wait", "delay_ms": -1})),
        ("step", json!({"step": "done", "token": null})),
        ("step", json!({"step": "sign", "alg": "none", "key": "", "data": ""})),
        ("step", json!({"step": "swear"})),
        ("reply", json!({"reply": "exited", "status": 0, "stdout": ""})),
        ("reply", json!({"reply": "failed", "kind": "tired", "message": ""})),
        ("reply", json!({"reply": "start", "now": 1})),
        ("source_options", json!({})),
        ("verifier_options", json!({"preset": "gogle"})),
        ("event", json!({"level": "info", "message": "refused"})),
    ] {
        assert!(interface.check(schema, &bad).is_err(), "{bad}");
    }
}
