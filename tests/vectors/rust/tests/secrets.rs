//! A secret given by mistake where a plain value belongs: no error shows it.
//!
//! Every option of a source, every variable that is asked for, and every text in the credential files of the vectors gets
//! a key, a token and a long random text in place of its value, one at a time.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use gatepass_bridge::{Lookup, Op, Source, now};
use gatepass_vectors::{read, read_all};
use serde_json::{Value, json};

/// What nobody may see, and the part of it that is looked for.
fn secrets() -> Vec<(String, String)> {
    let pem =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../acquire/test_key.pem")).unwrap();
    let begin = pem.find("-----BEGIN").unwrap();
    let key = pem.split_at(begin).1.to_owned();
    let inner = key.lines().nth(3).unwrap().to_owned();
    let file = json!({"type": "service_account", "private_key": key}).to_string();
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c2lnbmF0dXJl";
    let random = "q8FzA3kd_9xLm2Vb7-TnQw4RsYc1Ue6HjK5pXvB0";
    [
        (key, inner.clone()),
        (file, inner),
        (token.to_owned(), "eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9".to_owned()),
        (random.to_owned(), random.to_owned()),
    ]
    .into()
}

#[test]
fn no_error_shows_what_was_given_by_mistake() {
    let file = service_account();
    let options = [
        "credentials_file",
        "credentials_json",
        "impersonate",
        "delegates",
        "subject",
        "gdch_audience",
        "expect_type",
        "quota_project_id",
        "universe_domain",
        "trusted_endpoints",
        "seed",
        "self_signed_access_tokens",
        "allow_user_id_token",
    ];
    for (secret, sign) in secrets() {
        for option in options {
            let value = match option {
                "delegates" | "trusted_endpoints" => json!([secret]),
                _ => json!(secret),
            };
            let mut options = json!({"seed": 1, "credentials_json": file});
            if option == "credentials_file" {
                options = json!({"seed": 1});
            }
            if option == "delegates" {
                options["impersonate"] = json!("a@b.example");
            }
            options[option] = value;
            assert_hidden(&options, &json!({}), &sign, option);
        }
        for name in variables() {
            assert_hidden(&json!({"seed": 1}), &json!({ name.clone(): secret }), &sign, &name);
        }
        for target in ["id_token", "access_token", "self_signed_jwt"] {
            let source = Source::new(r#"{"seed":1}"#).unwrap();
            if let Err(failure) = source.lookup(target, &secret, now(0, 0)) {
                assert!(!failure.to_json().contains(&sign), "{target}: {}", failure.to_json());
            }
        }
    }
}

#[test]
fn no_error_shows_what_is_in_a_field_by_mistake() {
    let mut fields = 0;
    for file in files() {
        let mut paths = Vec::new();
        texts(&file, String::new(), &mut paths);
        for path in paths {
            for (secret, sign) in secrets() {
                let mut changed = file.clone();
                *changed.pointer_mut(&path).unwrap() = json!(secret);
                let options =
                    json!({"seed": 1, "credentials_json": changed.to_string(), "gdch_audience": "https://a"});
                assert_hidden(&options, &json!({}), &sign, &path);
                fields += 1;
            }
        }
    }
    assert!(fields > 100, "only {fields}");
}

/// Goes on with failures until the operation ends, and looks at the error.
fn assert_hidden(options: &Value, environment: &Value, sign: &str, place: &str) {
    for failure in ["not_found", "permission_denied", "other"] {
        for kind in ["id_token", "access_token"] {
            let source = match Source::new(&options.to_string()) {
                Ok(source) => source,
                Err(failure) => {
                    assert!(!failure.to_json().contains(sign), "{place}: {}", failure.to_json());
                    continue;
                }
            };
            let target = if kind == "id_token" { "https://a.example" } else { "scope" };
            let Ok(Lookup::Fetch(op)) = source.lookup(kind, target, now(1, 1)) else { panic!("no fetch") };
            let error = end(op, environment, failure);
            assert!(!error.contains(sign), "{place}: {error}");
        }
    }
}

fn end(mut op: Op, environment: &Value, failure: &str) -> String {
    let mut reply = json!({"reply": "start"});
    for _ in 0..40 {
        let step: Value = serde_json::from_str(&op.resume(now(1, 1), &reply.to_string())).unwrap();
        reply = match step["step"].as_str().unwrap() {
            "fail" | "done" => return step.to_string(),
            "read_env" => json!({"reply": "env", "values": environment}),
            "wait" => json!({"reply": "elapsed"}),
            // A host may repeat the path that it could not read.
            "read_file" => {
                json!({"reply": "failed", "kind": failure, "message": format!("no file {}", step["path"])})
            }
            "send" => {
                json!({"reply": "failed", "kind": "connect", "message": format!("no way to {}", step["url"])})
            }
            _ => json!({"reply": "failed", "kind": failure, "message": "it cannot be"}),
        };
    }
    panic!("no end");
}

/// Every variable that the search for credentials asks for.
fn variables() -> Vec<String> {
    let source = Source::new(r#"{"seed":1}"#).unwrap();
    let Ok(Lookup::Fetch(mut op)) = source.lookup("id_token", "https://a.example", now(1, 1)) else {
        panic!("no fetch")
    };
    let step: Value = serde_json::from_str(&op.resume(now(1, 1), r#"{"reply":"start"}"#)).unwrap();
    step["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn service_account() -> String {
    read("acquire/self_signed.json")["cases"][0]["options"]["credentials_json"].as_str().unwrap().to_owned()
}

/// One credential file of each shape in the vectors.
fn files() -> Vec<Value> {
    let mut shapes = std::collections::BTreeMap::new();
    for case in read_all("acquire") {
        let text = case["options"]["credentials_json"].as_str().unwrap_or_default();
        if let Ok(file @ Value::Object(_)) = serde_json::from_str::<Value>(text) {
            let mut paths = Vec::new();
            texts(&file, String::new(), &mut paths);
            shapes.entry(format!("{} {paths:?}", file["type"])).or_insert(file);
        }
    }
    shapes.into_values().collect()
}

/// Pointers to the texts in a document.
fn texts(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(path),
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(value, format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                texts(value, format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}
