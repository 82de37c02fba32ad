//! A secret where another value belongs is shown nowhere: in every option of the schemas, every variable that the core
//! reads, and every member of a credential file. A new one cannot be forgotten: all three lists are read, not written.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;

use gatepass_bridge::{KeyCache, Lookup, Op, RequestHeaders, Source, Verifier, now};
use gatepass_emulator::ServiceAccount;
use gatepass_emulator::credential_file::{self, ExternalAccount};
use gatepass_emulator::gdch::ServiceIdentity;
use gatepass_interface::{read, repository};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_800_000_000_000;
const URL: &str = "http://127.0.0.1:8085";
/// Stands for [`URL`] in the schema's examples.
const TRUSTED: &str = "https://emulator.example";

/// What people have pasted where another value belongs.
fn secrets() -> Vec<(&'static str, String)> {
    let key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    vec![
        ("a key", pem.clone()),
        (
            "a key file",
            json!({"type": "service_account", "private_key": pem, "client_email": "a@b"}).to_string(),
        ),
        ("a key with \\n", pem.replace('\n', "\\n")),
        (
            "an ID token",
            "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxMDc2OTUwMzE2NTgifQ.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
                .into(),
        ),
        (
            "a header",
            "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIxMDc2OTUwMzE2NTgifQ.c2lnbmF0dXJl".into(),
        ),
        ("an access token", "ya29.c.b0Aaekm1K9vZp3RrXwT5uQyLhNcVbGfDsAqWzE".into()),
        ("a random text", "q7Wm2ZxVt9LkRb4HdYcN8sJfGpEa3uTi6oQvXyBn1wKMlPzC0rUhSgDeAjOF5I".into()),
    ]
}

/// The same within URLs: for the user's name and password, for the host, in the path and in the query. And a password that
/// looks like none: user information is hidden whatever it is.
fn secrets_and_urls() -> Vec<(&'static str, String)> {
    let mut all = secrets();
    let (name, random) = all.pop().unwrap();
    all.extend([
        ("a user's password", format!("https://orders:{random}@orders.example/a")),
        ("a host", format!("http://{random}:8085")),
        ("a path of a URL", format!("https://orders.example/{random}/a")),
        ("a query", format!("https://orders.example/?a={random}&b=c")),
        ("a user's short password", "https://orders:hunter2@orders.example/a".into()),
        (name, random),
    ]);
    all
}

/// And a password of words, which is no value of any variable but one that takes anything.
fn secrets_of_variables() -> Vec<(&'static str, String)> {
    [secrets_and_urls(), vec![("a password", "hunter2 hunter2".into())]].concat()
}

/// Asserts that no part of the secret that gives something away is in what is shown.
fn assert_hidden(shown: &str, (name, secret): &(&str, String), place: &str) {
    assert!(!shown.contains("hunter2"), "{place} is {name}, and shown: {shown}");
    // Words as they are after a JSON text was written into another, too; hosts are in lower case.
    let words = secret.split(|c: char| !(c.is_ascii_alphanumeric() || b"+/_-".contains(&(c as u8))));
    for word in words.filter(|word| word.len() >= 16 && !word.starts_with("-----")) {
        for part in (0..=word.len() - 16).step_by(4).filter_map(|start| word.get(start..start + 16)) {
            let is_text = ["service_account", "PRIVATE"].iter().any(|known| part.contains(known));
            let is_shown = shown.contains(part) || shown.contains(&part.to_lowercase());
            assert!(is_text || !is_shown, "{place} is {name}, and shown: {shown}");
        }
    }
}

/// Who answers badly: endpoints, or the host itself, which repeats what it could not do.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    OfEndpoints,
    OfHost,
}

/// Drives an operation whose every question is answered badly; gives its error.
fn drive(op: &mut Op, env: &Value, fault: Fault) -> String {
    let mut reply = json!({"reply": "start"});
    for turn in 0..64 {
        let step = op.resume(now(NOW_MS + turn, turn), &reply.to_string());
        let step: Value = serde_json::from_str(&step).unwrap();
        reply = match step["step"].as_str().unwrap() {
            "fail" => return step.to_string(),
            "done" => return step["output"]["warnings"].to_string(),
            "read_env" => json!({"reply": "env", "values": env}),
            "read_file" if fault == Fault::OfHost => {
                json!({"reply": "failed", "kind": "other", "message": format!("no file {}", step["path"])})
            }
            "read_file" => json!({"reply": "failed", "kind": "not_found", "message": "no such file"}),
            "send" if fault == Fault::OfHost => {
                let message = format!("no way to {} by {}", step["url"], step["proxy"]);
                json!({"reply": "failed", "kind": "connect", "message": message})
            }
            "send" => json!({
                "reply": "response", "status": 403, "headers": [["metadata-flavor", "Google"]], "body": "{\"error\":\"no\"}",
            }),
            "run" => json!({"reply": "exited", "status": 1, "stdout": "", "stderr": ""}),
            "wait" => json!({"reply": "elapsed"}),
            _ => json!({"reply": "failed", "kind": "other", "message": "it does not work"}),
        };
    }
    panic!("an operation did not end");
}

/// All errors that a source with these options and this environment can come to.
fn errors_of_source(options: &Value, env: &Value) -> String {
    let source = match Source::new(&options.to_string()) {
        Ok(source) => source,
        Err(failure) => return failure.to_json(),
    };
    let mut shown = String::new();
    for (kind, target, fault) in [
        ("id_token", "https://orders.example", Fault::OfEndpoints),
        ("access_token", "https://www.googleapis.com/auth/cloud-platform", Fault::OfHost),
        ("self_signed_jwt", "https://orders.example", Fault::OfHost),
    ] {
        if let Ok(Lookup::Fetch(mut op)) = source.lookup(kind, target, now(NOW_MS, 0)) {
            shown += &drive(&mut op, env, fault);
        }
    }
    shown
}

fn options_of(schema: &str) -> Vec<(String, Value)> {
    let schema = read(&format!("{schema}.schema.json")).unwrap();
    let properties = schema["properties"].as_object().unwrap().clone();
    properties.into_iter().filter(|(name, _)| name != "seed").collect()
}

/// The secret as a value of the option's type, and in place of its type.
fn values(schema: &Value, secret: &str) -> Vec<Value> {
    let is_list = schema["type"].to_string().contains("array");
    if is_list { vec![json!([secret]), json!(secret)] } else { vec![json!(secret), json!([secret])] }
}

#[test]
fn options_of_a_source() {
    for secret in secrets_and_urls() {
        for (name, schema) in options_of("source_options") {
            for value in values(&schema, &secret.1) {
                let mut options = json!({"seed": 1});
                options[&name] = value;
                if name == "delegates" {
                    options["impersonate"] = json!("a@b.iam.gserviceaccount.com");
                }
                for env in
                    [json!({"HOME": "/home/a"}), json!({"METADATA_SERVER_DETECTION": "assume-present"})]
                {
                    assert_hidden(&errors_of_source(&options, &env), &secret, &name);
                }
            }
        }
        for target in ["id_token", "access_token", "self_signed_jwt"] {
            let source = Source::new(r#"{"seed": 1}"#).unwrap();
            let shown = match source.lookup(target, &secret.1, now(NOW_MS, 0)) {
                Ok(Lookup::Fetch(mut op)) => drive(&mut op, &json!({}), Fault::OfHost),
                Ok(_) => String::new(),
                Err(failure) => failure.to_json(),
            };
            assert_hidden(&shown, &secret, target);
        }
    }
}

#[test]
fn variables() {
    let text = fs::read_to_string(repository().join("core/src/environment.rs")).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    let is_name = |word: &&str| {
        word.len() > 3
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let mut names: Vec<_> = text.split('"').skip(1).step_by(2).filter(is_name).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 20 && names.contains(&"GOOGLE_APPLICATION_CREDENTIALS"), "{names:?}");
    let bases = [
        json!({}),
        json!({"HOME": "/home/a", "NO_GCE_CHECK": "true"}),
        json!({"METADATA_SERVER_DETECTION": "assume-present"}),
        json!({"AWS_REGION": "eu-west-1", "AWS_ROLE_ARN": "arn:aws:iam::1:role/a", "AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}),
    ];
    for secret in secrets_of_variables() {
        for name in &names {
            for base in &bases {
                let mut env = base.clone();
                env[*name] = json!(secret.1);
                let file = ExternalAccount::new(credential_file::Source::AwsContainer).file(URL);
                for options in [
                    json!({"seed": 1}),
                    json!({"seed": 1, "credentials_json": file, "trusted_endpoints": ["127.0.0.1:8085"]}),
                ] {
                    assert_hidden(&errors_of_source(&options, &env), &secret, name);
                }
                let options = json!({"audiences": ["a"]}).to_string();
                let shown =
                    drive(&mut Verifier::open(&options, &KeyCache::new()).unwrap(), &env, Fault::OfHost);
                assert_hidden(&shown, &secret, name);
                assert_hidden(&drive(&mut Op::own_audiences(), &env, Fault::OfHost), &secret, name);
            }
        }
    }
}

/// A file of each kind, with every member that the schema knows: its examples, with keys that sign.
fn files() -> Vec<Value> {
    let identity = ServiceIdentity { project: "p".into(), name: "n".into() };
    let key_of = |file: String| serde_json::from_str::<Value>(&file).unwrap()["private_key"].take();
    let rsa = key_of(ServiceAccount::default().key_file(URL).unwrap());
    let p256 = key_of(credential_file::gdch_service_account(&identity, URL, "/ca.pem").unwrap());
    let schema = read("credential_file.schema.json").unwrap();
    let kinds = schema["anyOf"].as_array().unwrap();
    let files = kinds.iter().map(|kind| {
        let text = kind["examples"][0].to_string().replace(TRUSTED, URL);
        let mut file: Value = serde_json::from_str(&text).unwrap();
        if file["private_key"].is_string() {
            file["private_key"] =
                if file["type"] == "gdch_service_account" { p256.clone() } else { rsa.clone() };
        }
        file
    });
    files.collect()
}

/// The JSON pointers of all texts in a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointers(element, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn fields_of_credential_files() {
    let env = json!({"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1", "AWS_REGION": "eu-west-1"});
    for secret in secrets_and_urls() {
        for file in files() {
            let mut fields = Vec::new();
            pointers(&file, "", &mut fields);
            for field in fields {
                for value in [json!(secret.1), json!([secret.1])] {
                    let mut changed = file.clone();
                    *changed.pointer_mut(&field).unwrap() = value;
                    let options = json!({
                        "seed": 1,
                        "credentials_json": changed.to_string(),
                        "trusted_endpoints": [URL],
                    });
                    assert_hidden(&errors_of_source(&options, &env), &secret, &field);
                }
            }
        }
    }
}

#[test]
fn options_of_a_verifier_of_an_explanation_and_of_a_call() {
    let token = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    for secret in secrets_and_urls() {
        for (name, schema) in options_of("explain_options") {
            for value in values(&schema, &secret.1) {
                let mut options = json!({"audiences": ["a"]});
                options[&name] = value;
                let explained = gatepass_bridge::explain_token(&options.to_string(), token, NOW_MS);
                assert_hidden(&explained.unwrap_or_else(|failure| failure.to_json()), &secret, &name);
                for placed in ["url", "header"] {
                    options.as_object_mut().unwrap().remove(placed);
                }
                match Verifier::new(&options.to_string()) {
                    Err(failure) => assert_hidden(&failure.to_json(), &secret, &name),
                    Ok(verifier) => {
                        if let Err(failure) = verifier.check(token.as_bytes(), now(NOW_MS, 0)) {
                            assert_hidden(&failure.to_json(), &secret, &name);
                        }
                    }
                }
            }
        }
        for (name, schema) in options_of("call") {
            for value in values(&schema, &secret.1) {
                let mut options = json!({"url": "https://orders.example"});
                options[&name] = value;
                if let Err(failure) = gatepass_bridge::plan_call(&options.to_string()) {
                    assert_hidden(&failure.to_json(), &secret, &name);
                }
            }
        }
    }
}

#[test]
fn tokens_and_headers_that_are_refused() {
    let verifier = Verifier::new(&json!({"audiences": ["a"]}).to_string()).unwrap();
    for secret in secrets_and_urls() {
        if let Err(failure) = verifier.check(secret.1.as_bytes(), now(NOW_MS, 0)) {
            assert_hidden(&failure.to_json(), &secret, "the token");
        }
        let headers = RequestHeaders { authorization: Some(&secret.1), ..RequestHeaders::default() };
        if let Err(failure) = verifier.token_from_headers(&headers) {
            assert_hidden(&failure.to_json(), &secret, "Authorization");
        }
        let explained = gatepass_bridge::explain_token("{}", &secret.1, NOW_MS);
        assert_hidden(&explained.unwrap_or_else(|failure| failure.to_json()), &secret, "the text to explain");
        if let Err(failure) = gatepass_bridge::audience_for_url(&secret.1) {
            assert_hidden(&failure.to_json(), &secret, "the URL");
        }
    }
}

#[test]
fn a_secret_that_is_shown_is_found() {
    for secret in secrets() {
        let shown = |text: &str| std::panic::catch_unwind(|| assert_hidden(text, &secret, "here")).is_err();
        assert!(shown(&format!("found {:?}, expected a path", secret.1)), "{}", secret.0);
        let middle: String = secret.1.chars().skip(secret.1.len() / 3).take(secret.1.len() / 2).collect();
        assert!(shown(&middle), "{}: a part of it", secret.0);
        assert!(!shown("a text that looks like a key, expected a path"), "{}", secret.0);
    }
}
