//! The Security Token Service, with subject tokens of every kind.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatepass_emulator::http::{Request, Response};
use gatepass_emulator::mint::{AccessToken, IdToken};
use gatepass_emulator::{Config, Emulator, ServiceAccount, tls};
use serde_json::{Value, json};

use super::{BASE_URL, NOW, emulator, form, parsed};

const PROVIDER: &str =
    "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/pool/providers/prov";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const AWS4: &str = "urn:ietf:params:aws:token-type:aws4_request";
const MTLS: &str = "urn:ietf:params:oauth:token-type:mtls";

fn strict() -> Emulator {
    let mut config = Config::new(BASE_URL);
    config.verify_subject_tokens = true;
    Emulator::new(config)
}

fn fields(token_type: &str, token: &str) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": PROVIDER,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": token_type,
        "subject_token": token,
    })
}

fn exchange(emulator: &Emulator, token_type: &str, token: &str) -> Response {
    emulator.handle(&Request::post("/v1/token", form(&fields(token_type, token))), NOW)
}

/// Presents the certificate `leaf`, in DER, along with a subject token of certificates.
fn exchange_with(emulator: &Emulator, token: &str, leaf: &[u8]) -> Response {
    let request = Request::post("/v1/token", form(&fields(MTLS, token))).with_client_certificate(leaf);
    emulator.handle(&request, NOW)
}

/// Sends the usual request with `changes` merged in.
fn changed(changes: &Value) -> Response {
    let mut fields = fields(JWT, "anything");
    fields.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    emulator().handle(&Request::post("/sts/v1/token", form(&fields)), NOW)
}

/// Gives the subject in the pool of the federated token.
fn subject(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", super::text(response));
    let token = AccessToken::decode(parsed(response)["access_token"].as_str().unwrap()).unwrap();
    let pool =
        "principal://iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/pool/subject/";
    token.principal.strip_prefix(pool).unwrap().to_owned()
}

/// Gives the error code and its description.
fn refused(response: &Response) -> (String, String) {
    let body = parsed(response);
    assert_eq!(response.status, if body["error"] == "invalid_client" { 401 } else { 400 });
    let member = |name: &str| body[name].as_str().unwrap().to_owned();
    (member("error"), member("error_description"))
}

fn assert_invalid_grant(response: &Response, reason: &str) {
    let (error, description) = refused(response);
    assert_eq!(error, "invalid_grant");
    assert!(description.contains(reason), "`{reason}` is missing in: {description}");
}

/// The token that the workload shows, and when it was issued.
fn workload(issued_at: u64) -> String {
    let issued_at = gatepass_emulator::time::UnixSeconds(issued_at);
    IdToken::workload(BASE_URL, PROVIDER, issued_at, std::time::Duration::from_secs(3600)).sign().unwrap()
}

#[test]
fn any_text_is_a_subject_token() {
    let emulator = emulator();
    for kind in ["jwt", "id_token", "saml2", "access_token"] {
        let response = exchange(&emulator, &format!("urn:ietf:params:oauth:token-type:{kind}"), "anything");
        let body = parsed(&response);
        assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3599)));
        assert!(!subject(&response).contains("anything"));
    }
    assert_eq!(subject(&exchange(&emulator, JWT, &workload(0))), "workload");
    assert_eq!(refused(&exchange(&emulator, JWT, "")).0, "invalid_request");
}

#[test]
fn a_strict_emulator_takes_what_it_can_verify() {
    let emulator = strict();
    let good = workload(NOW.0);
    assert_eq!(subject(&exchange(&emulator, JWT, &good)), "workload");
    let (signing_input, _) = good.rsplit_once('.').unwrap();
    assert_invalid_grant(&exchange(&emulator, JWT, "anything"), "not a signed JWT");
    assert_invalid_grant(&exchange(&emulator, JWT, &format!("{signing_input}.AAAA")), "not signed by a key");
    assert_invalid_grant(&exchange(&emulator, JWT, &workload(NOW.0 - 3600)), "expired");

    let access = "urn:ietf:params:oauth:token-type:access_token";
    assert_invalid_grant(&exchange(&emulator, access, "anything"), "no access token");
    let token = AccessToken::new("a@b", "", NOW);
    assert_invalid_grant(&exchange(&emulator, access, &token.encode()), "expired");
    let token = AccessToken { expires_at: gatepass_emulator::time::UnixSeconds(NOW.0 + 1), ..token };
    assert_eq!(subject(&exchange(&emulator, access, &token.encode())), "a@b");
    let saml = "urn:ietf:params:oauth:token-type:saml2";
    assert_invalid_grant(&exchange(&emulator, saml, "anything"), "cannot verify SAML");
}

#[test]
fn a_request_must_be_complete_and_name_a_provider() {
    for (changes, error) in [
        (json!({ "grant_type": "refresh_token" }), "unsupported_grant_type"),
        (json!({ "audience": "" }), "invalid_request"),
        (json!({ "audience": "https://receiver.example" }), "invalid_target"),
        (
            json!({ "audience": "//iam.googleapis.com/projects//locations/global/workloadIdentityPools/p/providers/q" }),
            "invalid_target",
        ),
        (json!({ "scope": "" }), "invalid_request"),
        (json!({ "requested_token_type": JWT }), "invalid_request"),
        (json!({ "subject_token_type": "urn:x" }), "invalid_request"),
        (json!({ "options": "userProject" }), "invalid_request"),
    ] {
        assert_eq!(refused(&changed(&changes)).0, error, "{changes}");
    }
}

#[test]
fn options_are_json_once_or_twice_encoded() {
    for options in [r#"{"userProject":"p1"}"#, "%7B%22userProject%22%3A%20%22p1%22%7D"] {
        let workforce = "//iam.googleapis.com/locations/global/workforcePools/pool/providers/prov";
        let response = changed(&json!({ "audience": workforce, "options": options }));
        assert_eq!(response.status, 200, "{options}");
    }
}

#[test]
fn a_client_may_authenticate_itself() {
    let send = |authorization: &str| {
        let request = Request::post("/v1/token", form(&fields(JWT, "anything")));
        emulator().handle(&request.with_header("Authorization", authorization), NOW)
    };
    assert_eq!(send("Basic Y2xpZW50OnNlY3JldA==").status, 200);
    for wrong in ["Basic", "Basic Y2xpZW50", "Bearer Y2xpZW50OnNlY3JldA=="] {
        assert_eq!(refused(&send(wrong)).0, "invalid_client", "{wrong}");
    }
}

/// A signed request; the libraries' and our own signatures were recomputed independently with the AWS documentation.
struct Signed {
    date: &'static str,
    signed_headers: &'static str,
    signature: &'static str,
}

const OURS: Signed = Signed {
    date: "20261122T000000Z",
    signed_headers: "host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource",
    signature: "247a81bd96e348e2e4f9fa9ade93c80c6b52636a569fd82c7d8e8334db7a404d",
};

impl Signed {
    fn authorization(&self, key_id: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={key_id}/{}/eu-west-1/sts/aws4_request, SignedHeaders={}, Signature={}",
            &self.date[..8],
            self.signed_headers,
            self.signature
        )
    }

    fn request(&self, key_id: &str) -> Value {
        json!({
            "url": "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
            "method": "POST",
            "headers": [
                { "key": "Authorization", "value": self.authorization(key_id) },
                { "key": "host", "value": "sts.eu-west-1.amazonaws.com" },
                { "key": "X-Amz-Date", "value": self.date },
                { "key": "x-amz-security-token", "value": "SESSDEMO" },
                { "key": "x-goog-cloud-target-resource", "value": PROVIDER },
            ],
        })
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn exchange_aws(emulator: &Emulator, request: &Value) -> Response {
    exchange(emulator, AWS4, &percent_encoded(&request.to_string()))
}

#[test]
fn requests_as_the_libraries_sign_them_are_verified() {
    let python_and_node = "host;x-amz-date;x-amz-security-token";
    for signed in [
        Signed {
            date: "20261122T033610Z",
            signed_headers: python_and_node,
            signature: "6f492004620f9315b21ab2ba2a634b38cd92690abc932aeea0afd5a8a173ceee",
        },
        Signed {
            date: "20261122T033638Z",
            signed_headers: python_and_node,
            signature: "d8fb8dc94c04163487638df4ad4b9227075ffd6aac93066956c2b62699f6cff8",
        },
        Signed {
            date: "20261122T033708Z",
            signed_headers: OURS.signed_headers,
            signature: "388ef9e65d9f4b08e082fe2e1fe2d323a4ade594e2c841c1d899b52127d0870d",
        },
        OURS,
    ] {
        assert_eq!(subject(&exchange_aws(&strict(), &signed.request("AKIDDEMO"))), "AKIDDEMO");
    }
}

#[test]
fn a_key_whose_secret_is_unknown_passes_unless_the_emulator_is_strict() {
    let request = OURS.request("AKIDOTHER");
    assert_eq!(subject(&exchange_aws(&emulator(), &request)), "AKIDOTHER");
    assert_invalid_grant(&exchange_aws(&strict(), &request), "AKIDDEMO");
}

/// Google's library for Java writes the header twice, and signs it once.
#[test]
fn the_provider_may_be_named_twice_if_it_is_the_same() {
    let twice = |other: &str| {
        let mut request = OURS.request("AKIDDEMO");
        let header = json!({ "key": "X-Goog-Cloud-Target-Resource", "value": other });
        request["headers"].as_array_mut().unwrap().push(header);
        exchange_aws(&strict(), &request)
    };
    assert_eq!(subject(&twice(PROVIDER)), "AKIDDEMO");
    assert_invalid_grant(&twice("//iam.googleapis.com/other"), "x-goog-cloud-target-resource is there twice");
}

#[test]
fn a_request_that_is_signed_otherwise_is_refused() {
    let emulator = emulator();
    let good = OURS.request("AKIDDEMO");
    let plain = exchange(&emulator, AWS4, &good.to_string());
    assert_invalid_grant(&plain, "not percent-encoded");
    assert_invalid_grant(&exchange(&emulator, AWS4, "%7B%7D"), "not JSON with");

    let other = |pointer: &str, value: Value| {
        let mut request = good.clone();
        *request.pointer_mut(pointer).unwrap() = value;
        exchange_aws(&emulator, &request)
    };
    for (pointer, value, reason) in [
        ("/method", json!("GET"), "POST"),
        (
            "/url",
            json!(
                "https://sts.eu-west-1.amazonaws.com.evil.example?Action=GetCallerIdentity&Version=2011-06-15"
            ),
            "expected the URL",
        ),
        (
            "/url",
            json!("https://sts.eu-west-1.amazonaws.com?Action=DeleteUser&Version=2011-06-15"),
            "expected the URL",
        ),
        ("/headers/0/value", json!("Bearer x"), "expected authorization"),
        ("/headers/0/value", json!(OURS.authorization("AKIDDEMO").replace("247a", "247b")), "does not match"),
        (
            "/headers/0/value",
            json!(OURS.authorization("AKIDDEMO").replace("eu-west-1", "eu-west-2")),
            "another day or region",
        ),
        ("/headers/0/value", json!(OURS.authorization("AKIDDEMO").replace("host;", "")), "host is not among"),
        ("/headers/1/value", json!("sts.us-east-1.amazonaws.com"), "not the URL's host"),
        ("/headers/2/value", json!("20261122T000001Z"), "does not match"),
        ("/headers/3/value", json!("other"), "does not match"),
        ("/headers/3/key", json!("x-other"), "x-amz-security-token is missing"),
        ("/headers/3/key", json!("HOST"), "host is there twice"),
        ("/headers/4/value", json!("//iam.googleapis.com/other"), "is not the audience"),
    ] {
        assert_invalid_grant(&other(pointer, value), reason);
    }
}

#[test]
fn certificates_are_a_subject_token() {
    let emulator = emulator();
    let (leaf, authority) =
        (der(&tls::workload().unwrap().certificate_pem), der(&tls::authority_pem().unwrap()));
    let chain = |chain: &[&[u8]]| {
        json!(chain.iter().map(|der| BASE64_STANDARD.encode(der)).collect::<Vec<_>>()).to_string()
    };
    let response = exchange_with(&emulator, &chain(&[&leaf, &authority]), &leaf);
    assert_eq!(subject(&response).len(), 64);
    for (token, reason) in [
        ("leaf".to_owned(), "not a JSON array"),
        ("[]".to_owned(), "no certificate"),
        (chain(&[&leaf, b"x"]), "something else than certificates"),
    ] {
        assert_invalid_grant(&exchange_with(&emulator, &token, &leaf), reason);
    }
    // Without a certificate in the handshake, or with another than the first.
    for response in [
        exchange(&emulator, MTLS, &chain(&[&leaf])),
        exchange_with(&emulator, &chain(&[&authority, &leaf]), &leaf),
    ] {
        assert_eq!((response.status, &parsed(&response)["error"]), (401, &json!("invalid_client")));
    }
}

#[test]
fn the_token_for_a_certificate_is_bound_to_it() {
    let emulator = emulator();
    let leaf = der(&tls::workload().unwrap().certificate_pem);
    let exchanged =
        parsed(&exchange_with(&emulator, &json!([BASE64_STANDARD.encode(&leaf)]).to_string(), &leaf));
    let path = "/v1/projects/-/serviceAccounts/sa@project.iam.gserviceaccount.com:generateIdToken";
    let bearer = format!("Bearer {}", exchanged["access_token"].as_str().unwrap());
    let call =
        Request::post(path, json!({ "audience": "a" }).to_string()).with_header("Authorization", &bearer);
    let statuses = [
        call.clone().with_client_certificate(&leaf),
        call.clone().with_client_certificate(&der(&tls::authority_pem().unwrap())),
        call,
    ]
    .map(|call| emulator.handle(&call, NOW).status);
    assert_eq!(statuses, [200, 401, 401]);
}

fn der(pem: &str) -> Vec<u8> {
    pem::parse(pem).unwrap().into_contents()
}

#[test]
fn a_service_account_signs_subject_tokens_too() {
    let emulator = strict();
    let account: ServiceAccount = "sa@project.iam.gserviceaccount.com".parse().unwrap();
    let claims = json!({ "iss": account.email(), "sub": "me", "exp": NOW.0 + 1 }).to_string();
    let path = format!("/v1/projects/-/serviceAccounts/{}:signJwt", account.email());
    let request = Request::post(&path, json!({ "payload": claims }).to_string());
    let request = request.with_header("Authorization", &super::iam_credentials::bearer());
    let signed = parsed(&emulator.handle(&request, NOW));
    let response = exchange(&emulator, JWT, signed["signedJwt"].as_str().unwrap());
    assert_eq!(subject(&response), "me");
}
