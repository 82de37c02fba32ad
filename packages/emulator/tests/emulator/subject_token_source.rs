//! The URL that hands out subject tokens.

use gatepass_emulator::http::Request;
use serde_json::json;

use super::{BASE_URL, NOW, Token, emulator, get, parsed, post, text};

const PATH: &str = "/emulator/v1/subject-token";

#[test]
fn the_token_is_text_or_json() {
    let emulator = emulator();
    let ask = |target: &str| emulator.handle(&Request::get(target).with_header("Metadata", "True"), NOW);
    let plain = ask(PATH);
    let token = Token::google(text(&plain), &emulator);
    assert_eq!((&token.claims["iss"], &token.claims["sub"]), (&json!(BASE_URL), &json!("workload")));
    assert_eq!(parsed(&ask(&format!("{PATH}?format=json"))), json!({ "access_token": text(&plain) }));

    let other = ask(&format!("{PATH}?audience=https%3A%2F%2Fidp.example"));
    assert_eq!(Token::google(text(&other), &emulator).claims["aud"], "https://idp.example");
}

#[test]
fn the_header_is_required() {
    let emulator = emulator();
    assert_eq!(get(&emulator, PATH).status, 404);
    assert_eq!(emulator.handle(&Request::get(PATH).with_header("Metadata", "False"), NOW).status, 404);
}

#[test]
fn requests_are_counted_and_can_be_faulted() {
    let emulator = emulator();
    let order = post(&emulator, "/emulator/v1/fault", &json!({ "path": PATH, "status": 503 }));
    assert_eq!(order.status, 200);
    assert_eq!(get(&emulator, PATH).status, 503);
    assert_eq!(parsed(&get(&emulator, "/emulator/v1/requests"))["counts"][PATH], 1);
}

#[test]
fn an_app_of_azure_asks_with_its_header_for_a_resource() {
    let emulator = emulator();
    let ask =
        |target: &str| emulator.handle(&Request::get(target).with_header("X-IDENTITY-HEADER", "h"), NOW);
    let answer = parsed(&ask("/msi/token?api-version=2019-08-01&resource=api%3A%2F%2Fx"));
    let token = Token::google(answer["access_token"].as_str().unwrap(), &emulator);
    assert_eq!((&token.claims["aud"], &token.claims["sub"]), (&json!("api://x"), &json!("workload")));
    assert_eq!((&answer["token_type"], &answer["resource"]), (&json!("Bearer"), &json!("api://x")));
    assert_eq!(ask("/msi/token").status, 400);
    assert_eq!(get(&emulator, "/msi/token?resource=x").status, 401);
}
