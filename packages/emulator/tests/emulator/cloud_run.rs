//! The front end of Cloud Run through its one door, [`Service::decide`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use gatepass_emulator::ServiceAccount;
use gatepass_emulator::cloud_run::{Decision, PublishedKeys, Service};
use gatepass_emulator::http::Request;
use gatepass_emulator::mint::{AccessToken, IdToken};

use super::{NOW, UnixSeconds};

const URL: &str = "https://orders-123456789012.us-central1.run.app";
const CALLER: &str = "caller@shop.iam.gserviceaccount.com";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HOUR: Duration = Duration::from_secs(3600);

/// The service `orders`, which [`CALLER`] may call, with one custom audience.
fn service() -> Service {
    service_of(&[CALLER])
}

fn public_service() -> Service {
    service_of(&["allUsers"])
}

fn service_of(invokers: &[&str]) -> Service {
    let mut service =
        Service::new(&"orders".parse().unwrap(), 123_456_789_012, &"us-central1".parse().unwrap());
    service.custom_audiences = vec!["orders/".to_owned()];
    service.invokers = invokers.iter().map(|invoker| invoker.parse().unwrap()).collect();
    service
}

/// The keys that an emulator publishes.
fn keys() -> PublishedKeys {
    let response = super::get(&super::emulator(), "/oauth2/v3/certs");
    PublishedKeys::from_jwk_set(&response.body).unwrap()
}

fn account(email: &str) -> ServiceAccount {
    email.parse().unwrap()
}

fn token_for(audience: &str) -> IdToken {
    IdToken::google(&account(CALLER), audience, NOW, HOUR)
}

fn signed(token: &IdToken) -> String {
    token.sign().unwrap()
}

fn with_token(token: &str) -> Request {
    Request::get("/list?page=2").with_header("Authorization", &format!("Bearer {token}"))
}

fn forwarded(service: &Service, request: Request) -> Request {
    match service.decide(request, CLIENT, &keys(), NOW) {
        Decision::Forward(request) => request,
        Decision::Respond { reason, .. } => panic!("refused: {reason}"),
    }
}

/// The status and the reason of a refusal. That the answer looks like Cloud Run's is checked for each.
fn refused(service: &Service, request: Request, now: UnixSeconds) -> (u16, String) {
    let Decision::Respond { response, reason } = service.decide(request, CLIENT, &keys(), now) else {
        panic!("forwarded")
    };
    let (title, sentence, challenge) = match response.status {
        401 => (
            "401 Unauthorized",
            "to the requested URL <code>/list?page=2</code>.",
            Some(
                r#"Bearer error="invalid_token" error_description="The access token could not be verified""#,
            ),
        ),
        _ => ("403 Forbidden", "to get URL <code>/list?page=2</code> from this server.", None),
    };
    let page = super::text(&response);
    assert!(page.contains(&format!("<title>{title}</title>")), "{page}");
    assert!(page.contains(&format!("Your client does not have permission {sentence}")), "{page}");
    assert_eq!(response.header("Content-Type"), Some("text/html; charset=UTF-8"));
    assert_eq!(response.header("WWW-Authenticate"), challenge);
    (response.status, reason)
}

/// What replaces the signature behind the front end.
fn stripped(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.SIGNATURE_REMOVED_BY_GOOGLE")
}

#[test]
fn a_service_has_two_urls() {
    let service = service();
    let [deterministic, hashed] = service.urls() else { panic!("two URLs") };
    assert_eq!(deterministic, URL);
    let hash = hashed.strip_prefix("https://orders-").unwrap().strip_suffix("-uc.a.run.app").unwrap();
    assert!(hash.len() == 10 && hash.bytes().all(|byte| byte.is_ascii_lowercase()), "{hash}");
}

#[test]
fn a_token_for_the_service_is_forwarded_without_its_signature() {
    let service = service();
    let [_, hashed] = service.urls() else { panic!("two URLs") };
    for audience in [URL, &format!("{URL}/"), hashed, &format!("{hashed}/"), "orders/"] {
        let token = signed(&token_for(audience));
        let request = forwarded(&service, with_token(&token));
        assert_eq!(
            request.header("Authorization"),
            Some(&*format!("Bearer {}", stripped(&token))),
            "{audience}"
        );
    }
}

#[test]
fn either_issuer_and_any_case_of_the_scheme_will_do() {
    let token = signed(&token_for(URL).claim("iss", "accounts.google.com"));
    let request = Request::get("/").with_header("authorization", &format!("bearer {token}"));
    let request = forwarded(&service(), request);
    assert_eq!(request.header("Authorization"), Some(&*format!("bearer {}", stripped(&token))));
}

#[test]
fn the_serverless_header_wins_and_authorization_stays_as_it_is() {
    let token = signed(&token_for(URL));
    let own = "Bearer the.services.own";
    let request = Request::get("/")
        .with_header("Authorization", own)
        .with_header("X-Serverless-Authorization", &format!("Bearer {token}"));
    let request = forwarded(&service(), request);
    assert_eq!(request.header("Authorization"), Some(own));
    assert_eq!(request.header("X-Serverless-Authorization"), Some(&*format!("Bearer {}", stripped(&token))));

    let request = with_token(&token).with_header("X-Serverless-Authorization", "Bearer the.wrong.one");
    assert_eq!(refused(&service(), request, NOW).0, 401);
}

#[test]
fn without_a_bearer_token_nobody_may() {
    for request in [
        Request::get("/list?page=2"),
        Request::get("/list?page=2").with_header("Authorization", "Basic YTpi"),
        Request::get("/list?page=2").with_header("Authorization", "Bearer"),
        with_token(&signed(&token_for(URL))).with_header("X-Serverless-Authorization", ""),
    ] {
        let (status, reason) = refused(&service(), request, NOW);
        assert_eq!(status, 403);
        assert!(reason.contains("no bearer token"), "{reason}");
    }
}

#[test]
fn a_token_that_is_no_good_is_refused_and_the_log_says_why() {
    let good = signed(&token_for(URL));
    let tag = URL.replace("https://", "https://canary---");
    let access_token = AccessToken::decode(
        "ya29.gatepass-emulator.eyJwcmluY2lwYWwiOiJhQGIiLCJzY29wZSI6IiIsImV4cGlyZXNfYXQiOjF9",
    );
    for (token, reason) in [
        ("opaque".to_owned(), "not a signed JWT"),
        ("a.b.c".to_owned(), "not a signed JWT"),
        (access_token.unwrap().encode(), "access token"),
        (stripped(&good), "not signed"),
        (good.replace("ey", "eX"), "not a signed JWT"),
        (signed(&token_for(URL).header("alg", "none")), "not signed"),
        (signed(&token_for(URL).header("kid", "another")), "not signed"),
        (signed(&IdToken::iap(&account(CALLER), URL, NOW, HOUR)), "not signed"),
        (signed(&token_for(URL).claim("iss", "https://issuer.example")), "issuer"),
        (signed(&token_for(URL).without("iss")), "issuer"),
        (signed(&token_for("https://receiver.example")), URL),
        (signed(&token_for(&tag)), "another audience"),
        (signed(&token_for(&format!("{URL}/list"))), "another audience"),
        (signed(&token_for(&URL.to_uppercase())), "another audience"),
        (signed(&token_for("orders")), "another audience"),
        (signed(&token_for(URL).without("aud")), "another audience"),
        (signed(&token_for(URL).without("exp")), "expired"),
        (signed(&IdToken::google(&account(CALLER), URL, NOW.before(HOUR), HOUR)), "expired"),
    ] {
        let (status, logged) = refused(&service(), with_token(&token), NOW);
        assert_eq!(status, 401, "{reason}");
        assert!(logged.contains(reason), "`{reason}` is missing in: {logged}");
        assert!(!logged.contains(&token), "{reason}");
    }
}

#[test]
fn a_key_that_is_not_published_has_not_signed() {
    let none = PublishedKeys::from_jwk_set(br#"{"keys": []}"#).unwrap();
    let decision = service().decide(with_token(&signed(&token_for(URL))), CLIENT, &none, NOW);
    assert!(matches!(decision, Decision::Respond { response, .. } if response.status == 401));
}

#[test]
fn a_token_is_good_until_the_second_it_expires() {
    let token = signed(&token_for(URL));
    let last = NOW.after(HOUR).before(Duration::from_secs(1));
    assert!(matches!(service().decide(with_token(&token), CLIENT, &keys(), last), Decision::Forward(_)));
    assert_eq!(refused(&service(), with_token(&token), NOW.after(HOUR)).0, 401);
}

#[test]
fn a_header_that_is_there_twice_is_refused() {
    let token = signed(&token_for(URL));
    let request = with_token(&token).with_header("authorization", &format!("Bearer {token}"));
    let (status, reason) = refused(&service(), request, NOW);
    assert_eq!(status, 401);
    assert!(reason.contains("more than once"), "{reason}");
}

#[test]
fn a_caller_who_is_no_invoker_may_not() {
    let other = IdToken::google(&account("other@shop.iam.gserviceaccount.com"), URL, NOW, HOUR);
    for (token, name) in [
        (other.clone(), "other@shop.iam.gserviceaccount.com"),
        (other.without("email"), "the caller"),
        (token_for(URL).claim("email_verified", false), CALLER),
        (token_for(URL).claim("email_verified", "true"), CALLER),
        (token_for(URL).without("email_verified"), CALLER),
    ] {
        let (status, reason) = refused(&service(), with_token(&signed(&token)), NOW);
        assert_eq!(status, 403);
        assert!(reason.starts_with(name) && reason.contains("not an invoker"), "{reason}");
    }
    let nobody = service_of(&[]);
    assert_eq!(refused(&nobody, with_token(&signed(&token_for(URL))), NOW).0, 403);
}

#[test]
fn an_invoker_without_email_is_known_by_the_subject() {
    forwarded(&service(), with_token(&signed(&token_for(URL).without("email").without("email_verified"))));
}

#[test]
fn a_public_service_gets_all_headers_as_they_came() {
    let service = public_service();
    for header in ["Bearer its.own.token", &format!("Bearer {}", signed(&token_for(URL)))] {
        let request = forwarded(&service, Request::get("/").with_header("Authorization", header));
        assert_eq!(request.header("Authorization"), Some(header));
    }
    assert_eq!(forwarded(&service, Request::get("/")).header("Authorization"), None);
}

#[test]
fn the_service_learns_where_a_request_came_from() {
    let public = public_service();
    let request = forwarded(&public, Request::get("/"));
    assert_eq!(
        request.headers,
        [
            ("Host", "orders-123456789012.us-central1.run.app"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "https"),
            ("Forwarded", "for=\"127.0.0.1\";proto=https"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );

    let request = Request::get("/")
        .with_header("host", "orders.example")
        .with_header("x-forwarded-for", "192.0.2.1")
        .with_header("X-Forwarded-For", "192.0.2.2")
        .with_header("x-forwarded-proto", "http")
        .with_header("forwarded", "for=192.0.2.1");
    let Decision::Forward(request) = public.decide(request, Ipv6Addr::LOCALHOST.into(), &keys(), NOW) else {
        panic!("refused")
    };
    assert_eq!(request.header("Host"), Some("orders.example"));
    assert_eq!(request.header("X-Forwarded-For"), Some("192.0.2.1,192.0.2.2,::1"));
    assert_eq!(request.header("X-Forwarded-Proto"), Some("https"));
    assert_eq!(request.header("Forwarded"), Some("for=192.0.2.1,for=\"[::1]\";proto=https"));
    assert_eq!(request.headers.len(), 4);
}

#[test]
fn headers_of_one_connection_are_not_passed_on() {
    let public = public_service();
    let request = Request::get("/")
        .with_header("Connection", "keep-alive, X-Own")
        .with_header("x-own", "1")
        .with_header("Keep-Alive", "timeout=5")
        .with_header("Upgrade", "websocket")
        .with_header("TE", "trailers")
        .with_header("Transfer-Encoding", "chunked")
        .with_header("Proxy-Authorization", "Basic YTpi")
        .with_header("X-Kept", "2");
    let request = forwarded(&public, request);
    for name in
        ["Connection", "X-Own", "Keep-Alive", "Upgrade", "TE", "Transfer-Encoding", "Proxy-Authorization"]
    {
        assert_eq!(request.header(name), None, "{name}");
    }
    assert_eq!(request.header("X-Kept"), Some("2"));
}
