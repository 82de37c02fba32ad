//! Options as JSON. An option that is misspelt is an error that names it.

use gatepass_core::{
    Algorithm, Audiences, Call, CallPlan, CallToken, Callers, CredentialsFrom, DEFAULT_LEEWAY_SECONDS,
    DEFAULT_REMEMBERED_BYTES, HostCost, Impersonate, KeySource, Preferences, Preset, Secret, SourceConfig,
    TokenHeader, Transport, VerifierConfig, quoted,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceOptions {
    credentials_file: Option<String>,
    credentials_json: Option<String>,
    impersonate: Option<String>,
    #[serde(default)]
    delegates: Vec<String>,
    subject: Option<String>,
    #[serde(default)]
    self_signed_access_tokens: bool,
    gdch_audience: Option<String>,
    #[serde(default)]
    allow_user_id_token: bool,
    expect_type: Option<String>,
    quota_project_id: Option<String>,
    universe_domain: Option<String>,
    #[serde(default)]
    trusted_endpoints: Vec<String>,
    seed: u64,
}

/// Reads `{"seed":…, "credentials_file":…|"credentials_json":…, "impersonate":…, "delegates":[…], "subject":…,
/// "self_signed_access_tokens":…, "gdch_audience":…, "allow_user_id_token":…, "expect_type":…, "quota_project_id":…,
/// "universe_domain":…, "trusted_endpoints":[…]}`; all but the seed may be left out.
pub(crate) fn source(options: &str) -> Result<SourceConfig, Failure> {
    let options: SourceOptions = read(options)?;
    let credentials = match (options.credentials_file, options.credentials_json) {
        (None, None) => CredentialsFrom::Search,
        (Some(path), None) => CredentialsFrom::File(path),
        (None, Some(text)) => CredentialsFrom::Json(Secret::new(text)),
        (Some(_), Some(_)) => {
            return Err(Failure::invalid_option(
                "both credentials_file and credentials_json are given, expected one of them".into(),
            ));
        }
    };
    let impersonate = match (options.impersonate, options.delegates) {
        (Some(email), delegates) => Some(Impersonate { email, delegates }),
        (None, delegates) if delegates.is_empty() => None,
        (None, _) => {
            return Err(Failure::invalid_option(
                "delegates are given without impersonate, expected both or neither".into(),
            ));
        }
    };
    Ok(SourceConfig {
        credentials,
        impersonate,
        preferences: Preferences {
            subject: options.subject,
            self_signed_access_tokens: options.self_signed_access_tokens,
            gdch_audience: options.gdch_audience,
            allow_user_id_token: options.allow_user_id_token,
        },
        expect_type: options.expect_type,
        quota_project_id: options.quota_project_id,
        universe_domain: options.universe_domain,
        trusted_endpoints: options.trusted_endpoints,
        seed: options.seed,
    })
}

/// A request that is about to be sent with a token; see [`gatepass_core::Call`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallOptions {
    url: String,
    kind: Option<String>,
    audience: Option<String>,
    token_header: Option<String>,
    #[serde(default)]
    allow_plain_http: bool,
    grpc: Option<GrpcChannel>,
}

/// The channel of a gRPC call; see [`Transport::Grpc`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrpcChannel {
    is_encrypted: bool,
    #[serde(default)]
    allow_plaintext_loopback: bool,
}

/// Plans the call `{"url":…, "kind":"id_token"|"access_token", "audience":…, "token_header":…, "allow_plain_http":…}`,
/// all but the URL of which may be left out; a gRPC call has `"grpc":{"is_encrypted":…, "allow_plaintext_loopback":…}`.
pub(crate) fn plan_call(call: &str) -> Result<CallPlan, Failure> {
    let call: CallOptions = read(call)?;
    let token = match (call.kind.as_deref(), call.audience.as_deref()) {
        (None | Some("id_token"), audience) => CallToken::IdToken { audience },
        (Some("access_token"), None) => CallToken::AccessToken,
        (Some("access_token"), Some(_)) => {
            return Err(Failure::invalid_option(
                "`audience` is given for an access token, expected none: it has scopes instead".into(),
            ));
        }
        (Some(_), _) => {
            return Err(Failure::misuse("the kind of token is unknown, expected id_token or access_token"));
        }
    };
    let names: Vec<_> = TokenHeader::ALL.iter().map(|(name, _)| *name).collect();
    let find =
        |name: &str| TokenHeader::ALL.iter().find(|(known, _)| *known == name).map(|(_, header)| *header);
    let token_header =
        call.token_header.map(|name| named("token_header", &name, find, &names)).transpose()?;
    let transport = match call.grpc {
        None => Transport::Http { allow_plain_http: call.allow_plain_http },
        Some(GrpcChannel { is_encrypted, allow_plaintext_loopback }) => {
            Transport::Grpc { is_encrypted, allow_plaintext_loopback }
        }
    };
    Ok(gatepass_core::plan_call(&Call {
        url: &call.url,
        token,
        token_header: token_header.unwrap_or_default(),
        transport,
    })?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifierOptions {
    preset: Option<String>,
    issuers: Option<Vec<String>>,
    #[serde(default)]
    algorithms: Vec<String>,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    any_audience: bool,
    keys: Option<String>,
    keys_url: Option<String>,
    leeway_seconds: Option<u64>,
    allowed_emails: Option<Vec<String>>,
    allowed_subjects: Option<Vec<String>>,
    #[serde(default)]
    any_caller: bool,
    #[serde(default)]
    trust_cloud_run_and_skip_signature: bool,
    remembered_bytes: Option<u64>,
    host_cost: Option<HostCostJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostCostJson {
    token: u64,
    member: u64,
    byte: u64,
}

/// Reads `{"preset":…, "issuers":[…], "algorithms":[…], "audiences":[…], "any_audience":…, "keys":"…"|"keys_url":…,
/// "leeway_seconds":…, "allowed_emails":[…], "allowed_subjects":[…], "any_caller":…,
/// "trust_cloud_run_and_skip_signature":…, "remembered_bytes":…, "host_cost":{"token":…,"member":…,
/// "byte":…}}`; all may be left out here, and the core says what is missing.
pub(crate) fn verifier(options: &str) -> Result<VerifierConfig, Failure> {
    let options: VerifierOptions = read(options)?;
    let preset =
        options.preset.map(|name| named("preset", &name, Preset::from_name, &preset_names())).transpose()?;
    let algorithms = options.algorithms.iter();
    let algorithms =
        algorithms.map(|name| named("algorithm", name, Algorithm::from_name, &algorithm_names()));
    Ok(VerifierConfig {
        preset,
        issuers: VerifierConfig::parse_issuers(options.issuers)?,
        algorithms: algorithms.collect::<Result<_, _>>()?,
        audiences: Audiences::parse(options.audiences, options.any_audience)?,
        keys: KeySource::parse(options.keys, options.keys_url)?,
        leeway_seconds: options.leeway_seconds.unwrap_or(DEFAULT_LEEWAY_SECONDS),
        callers: Callers::parse(options.allowed_emails, options.allowed_subjects, options.any_caller)?,
        trust_cloud_run_and_skip_signature: options.trust_cloud_run_and_skip_signature,
        remembered_bytes: options.remembered_bytes.unwrap_or(DEFAULT_REMEMBERED_BYTES),
        host_cost: options.host_cost.map_or_else(
            HostCost::default,
            |HostCostJson { token, member, byte }| HostCost { token, member, byte },
        ),
    })
}

/// Where a token was seen: `{"url":…, "header":…}`, both of which may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// The URL that was called.
    pub(crate) url: Option<String>,
    /// The name of the header that carried the token.
    pub(crate) header: Option<String>,
}

pub(crate) fn place(place: &str) -> Result<Place, Failure> {
    read(place)
}

/// Reads the options of an explanation: those of a verifier, and of a [`Place`] next to them.
pub(crate) fn explain(options: &str) -> Result<(VerifierConfig, Place), Failure> {
    let mut options: Map<String, Value> = read(options)?;
    let place: Map<_, _> = ["url", "header"].iter().filter_map(|name| options.remove_entry(*name)).collect();
    Ok((verifier(&Value::Object(options).to_string())?, self::place(&Value::Object(place).to_string())?))
}

fn preset_names() -> Vec<&'static str> {
    Preset::ALL.iter().map(|preset| preset.as_str()).collect()
}

fn algorithm_names() -> Vec<&'static str> {
    Algorithm::ALL.iter().map(|alg| alg.as_str()).collect()
}

fn named<T>(
    option: &str,
    name: &str,
    find: impl Fn(&str) -> Option<T>,
    known: &[&str],
) -> Result<T, Failure> {
    find(name).ok_or_else(|| {
        Failure::invalid_option(format!(
            "`{option}` is {}, expected one of {}",
            quoted(name),
            known.join(", ")
        ))
    })
}

fn read<T: DeserializeOwned>(options: &str) -> Result<T, Failure> {
    serde_json::from_str(options).map_err(|error| {
        let what = complaint(&error);
        let whole_numbers = "expected a whole number from 0";
        let shown = without_values(&what)
            .replace("expected u64", whole_numbers)
            .replace("expected u32", whole_numbers);
        Failure::invalid_option(match culprit::<T>(options, &what) {
            Some(name) => format!("`{name}` does not fit: {shown}"),
            None => format!("the options do not fit: {shown}"),
        })
    })
}

/// What serde says. The location within JSON that a package made says nothing to its user.
fn complaint(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// The option whose value serde complains of: alone it makes it say the same. One of another name is named by serde.
fn culprit<T: DeserializeOwned>(options: &str, what: &str) -> Option<String> {
    let options: serde_json::Map<String, serde_json::Value> = serde_json::from_str(options).ok()?;
    let is_culprit = |name: &str, value: serde_json::Value| {
        let alone = serde_json::Map::from_iter([(name.to_owned(), value)]);
        serde_json::from_str::<T>(&serde_json::Value::from(alone).to_string())
            .is_err_and(|error| complaint(&error) == what)
    };
    let is_known = !what.starts_with("unknown field");
    options.into_iter().find_map(|(name, value)| (is_known && is_culprit(&name, value)).then_some(name))
}

/// serde's complaint without the values that it repeats, any of which may be a secret that was given by mistake: only the
/// name of an option is kept, if it could be one.
fn without_values(complaint: &str) -> String {
    let is_name = |text: &str| {
        text.len() <= 40 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let value = match complaint.split_once('`') {
        Some((before, rest)) if !before.contains('"') => {
            rest.split_once('`').map_or(rest, |(value, _)| value)
        }
        _ => match (complaint.find('"'), complaint.rfind('"')) {
            (Some(begin), Some(end)) if begin < end => complaint.get(begin..=end).unwrap_or_default(),
            _ => return complaint.to_owned(),
        },
    };
    if is_name(value) { complaint.to_owned() } else { complaint.replacen(value, "…", 1) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_value_of_an_option_is_repeated() {
        const SECRET: &str = "q8FzA3kd_9xLm2Vb7-TnQw4RsYc1Ue6H";
        for options in [
            format!(r#"{{"seed":"{SECRET}"}}"#),
            format!(r#"{{"seed":1,"{SECRET}":1}}"#),
            format!(r#"{{"seed":1,"delegates":"{SECRET}"}}"#),
            format!(r#"{{"seed":1,"self_signed_access_tokens":"a \\"{SECRET}\\" b"}}"#),
            format!(r#""{SECRET}""#),
        ] {
            let message = source(&options).unwrap_err().to_json();
            assert!(message.contains("INVALID_OPTION") && !message.contains(SECRET), "{message}");
        }
        let failure = verifier(&format!(r#"{{"preset":"{SECRET}"}}"#)).unwrap_err();
        assert!(!failure.to_json().contains(SECRET), "{}", failure.to_json());
    }

    #[test]
    fn a_call_is_planned_from_its_options() {
        let plan = |call| crate::plan_call(call).unwrap();
        assert_eq!(
            plan(r#"{"url":"https://a.example/x"}"#),
            r#"{"audience":"https://a.example","headers":["authorization"]}"#
        );
        assert_eq!(
            plan(
                r#"{"url":"https://a.example","kind":"id_token","audience":"b","token_header":"both","allow_plain_http":false}"#
            ),
            r#"{"audience":"b","headers":["authorization","x-serverless-authorization"]}"#
        );
        assert_eq!(
            plan(
                r#"{"url":"https://a.example","kind":"access_token","audience":null,"token_header":"authorization"}"#
            ),
            r#"{"audience":null,"headers":["authorization"]}"#
        );
        assert_eq!(
            plan(r#"{"url":"https://a.example:8443/s.S","grpc":{"is_encrypted":true}}"#),
            r#"{"audience":"https://a.example","headers":["authorization"]}"#
        );
        for (call, code) in [
            (
                r#"{"url":"https://127.0.0.1/s.S","audience":"b","grpc":{"is_encrypted":false}}"#,
                "INVALID_OPTION",
            ),
            (r#"{"url":"http://a.example","audience":"b"}"#, "INVALID_OPTION"),
            (r#"{"url":"http://a.example"}"#, "INVALID_AUDIENCE"),
            (r#"{"url":"https://a.example","token_header":"cookie"}"#, "INVALID_OPTION"),
            (r#"{"url":"https://a.example","kind":"access_token","audience":"b"}"#, "INVALID_OPTION"),
            (r#"{"url":"https://a.example","kind":"refresh_token"}"#, "API_MISUSE"),
        ] {
            assert_eq!(crate::plan_call(call).unwrap_err().code().as_str(), code, "{call}");
        }
    }

    #[test]
    fn an_option_whose_value_does_not_fit_is_named() {
        for (options, expected) in [
            (
                r#"{"audiences":["a"],"leeway_seconds":-1}"#,
                "`leeway_seconds` does not fit: invalid value: integer `…`, expected a whole number from 0",
            ),
            (
                r#"{"audiences":["a"],"leeway_seconds":1.5}"#,
                "`leeway_seconds` does not fit: invalid type: floating point `…`",
            ),
            (
                r#"{"audiences":["a"],"allowed_emails":{}}"#,
                "`allowed_emails` does not fit: invalid type: map",
            ),
            (r#"{"audiences":["a"],"any_caller":"yes"}"#, "`any_caller` does not fit"),
            (r#"["a"]"#, "the options do not fit"),
        ] {
            let failure = verifier(options).unwrap_err().to_json();
            assert!(failure.contains(expected), "{failure}");
        }
    }

    #[test]
    fn a_misspelt_option_is_named() {
        let failure = verifier(r#"{"preset":"google","audiance":["a"]}"#).unwrap_err();
        assert!(failure.to_json().contains("unknown field `audiance`"), "{}", failure.to_json());
        let failure = verifier(r#"{"preset":"gogle"}"#).unwrap_err();
        assert!(failure.to_json().contains("expected one of google, cloud_run"), "{}", failure.to_json());
    }
}
