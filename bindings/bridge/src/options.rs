//! Options as JSON. An option that is misspelt is an error that names it.

use gatepass_core::{
    Algorithm, Audiences, Call, CallPlan, CallToken, Callers, CredentialsFrom, DEFAULT_LEEWAY_SECONDS,
    DEFAULT_REMEMBERED_BYTES, HostCost, Impersonate, KeySource, Preferences, Preset, Secret, SourceConfig,
    TokenHeader, Transport, VerifierConfig, quoted,
};

use crate::failure::Failure;
use crate::members::{Members, Misfit, required};

/// Reads `{"seed":…, "credentials_file":…|"credentials_json":…, "impersonate":…, "delegates":[…], "subject":…,
/// "self_signed_access_tokens":…, "gdch_audience":…, "allow_user_id_token":…, "expect_type":…, "quota_project_id":…,
/// "universe_domain":…, "trusted_endpoints":[…]}`; all but the seed may be left out.
pub(crate) fn source(options: &str) -> Result<SourceConfig, Failure> {
    let mut options = Members::read(options)?;
    let credentials = (options.text("credentials_file")?, options.text("credentials_json")?);
    let impersonate = (options.text("impersonate")?, options.list("delegates")?);
    let preferences = Preferences {
        subject: options.text("subject")?,
        self_signed_access_tokens: options.flag("self_signed_access_tokens")?,
        gdch_audience: options.text("gdch_audience")?,
        allow_user_id_token: options.flag("allow_user_id_token")?,
    };
    let expect_type = options.text("expect_type")?;
    let quota_project_id = options.text("quota_project_id")?;
    let universe_domain = options.text("universe_domain")?;
    let trusted_endpoints = options.list("trusted_endpoints")?;
    let seed = options.number("seed")?;
    options.end()?;

    let credentials = match credentials {
        (None, None) => CredentialsFrom::Search,
        (Some(path), None) => CredentialsFrom::File(path),
        (None, Some(text)) => CredentialsFrom::Json(Secret::new(text)),
        (Some(_), Some(_)) => {
            return Err(Failure::invalid_option(
                "both credentials_file and credentials_json are given, expected one of them".into(),
            ));
        }
    };
    let impersonate = match impersonate {
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
        preferences,
        expect_type,
        quota_project_id,
        universe_domain,
        trusted_endpoints,
        seed: required("seed", seed)?,
    })
}

/// Plans the call `{"url":…, "kind":"id_token"|"access_token", "audience":…, "token_header":…, "allow_plain_http":…}`,
/// all but the URL of which may be left out; a gRPC call has `"grpc":{"is_encrypted":…, "allow_plaintext_loopback":…}`.
pub(crate) fn plan_call(call: &str) -> Result<CallPlan, Failure> {
    let mut call = Members::read(call)?;
    let (url, kind, audience) = (call.text("url")?, call.text("kind")?, call.text("audience")?);
    let token_header = call.text("token_header")?;
    let allow_plain_http = call.flag("allow_plain_http")?;
    let grpc = call.object("grpc")?;
    call.end()?;

    let url = required("url", url)?;
    let transport = match grpc {
        None => Transport::Http { allow_plain_http },
        Some(mut channel) => {
            let is_encrypted = channel.boolean("is_encrypted")?;
            let allow_plaintext_loopback = channel.flag("allow_plaintext_loopback")?;
            channel.end()?;
            Transport::Grpc {
                is_encrypted: required("is_encrypted", is_encrypted)?,
                allow_plaintext_loopback,
            }
        }
    };
    let token = match (kind.as_deref(), audience.as_deref()) {
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
    let token_header = token_header.map(|name| named("token_header", &name, find, &names)).transpose()?;
    Ok(gatepass_core::plan_call(&Call {
        url: &url,
        token,
        token_header: token_header.unwrap_or_default(),
        transport,
    })?)
}

/// Reads `{"preset":…, "issuers":[…], "algorithms":[…], "audiences":[…], "any_audience":…, "keys":"…"|"keys_url":…,
/// "leeway_seconds":…, "allowed_emails":[…], "allowed_subjects":[…], "any_caller":…,
/// "trust_cloud_run_and_skip_signature":…, "remembered_bytes":…, "host_cost":{"token":…,"member":…,
/// "byte":…}}`; all may be left out here, and the core says what is missing.
pub(crate) fn verifier(options: &str) -> Result<VerifierConfig, Failure> {
    rest_as_verifier(Members::read(options)?)
}

fn rest_as_verifier(mut options: Members) -> Result<VerifierConfig, Failure> {
    let preset = options.text("preset")?;
    let issuers = options.texts("issuers")?;
    let algorithms = options.list("algorithms")?;
    let audiences = (options.list("audiences")?, options.flag("any_audience")?);
    let keys = (options.text("keys")?, options.text("keys_url")?);
    let leeway_seconds = options.number("leeway_seconds")?;
    let callers =
        (options.texts("allowed_emails")?, options.texts("allowed_subjects")?, options.flag("any_caller")?);
    let trust_cloud_run_and_skip_signature = options.flag("trust_cloud_run_and_skip_signature")?;
    let remembered_bytes = options.number("remembered_bytes")?;
    let host_cost = options.object("host_cost")?;
    options.end()?;

    let preset = preset.map(|name| named("preset", &name, Preset::from_name, &preset_names()));
    let algorithms =
        algorithms.iter().map(|name| named("algorithm", name, Algorithm::from_name, &algorithm_names()));
    Ok(VerifierConfig {
        preset: preset.transpose()?,
        issuers: VerifierConfig::parse_issuers(issuers)?,
        algorithms: algorithms.collect::<Result<_, _>>()?,
        audiences: Audiences::parse(audiences.0, audiences.1)?,
        keys: KeySource::parse(keys.0, keys.1)?,
        leeway_seconds: leeway_seconds.unwrap_or(DEFAULT_LEEWAY_SECONDS),
        callers: Callers::parse(callers.0, callers.1, callers.2)?,
        trust_cloud_run_and_skip_signature,
        remembered_bytes: remembered_bytes.unwrap_or(DEFAULT_REMEMBERED_BYTES),
        host_cost: host_cost.map(take_host_cost).transpose()?.unwrap_or_default(),
    })
}

fn take_host_cost(mut cost: Members) -> Result<HostCost, Misfit> {
    let (token, member, byte) = (cost.number("token")?, cost.number("member")?, cost.number("byte")?);
    cost.end()?;
    Ok(HostCost {
        token: required("token", token)?,
        member: required("member", member)?,
        byte: required("byte", byte)?,
    })
}

/// Where a token was seen: `{"url":…, "header":…}`, both of which may be left out.
pub(crate) struct Place {
    /// The URL that was called.
    pub(crate) url: Option<String>,
    /// The name of the header that carried the token.
    pub(crate) header: Option<String>,
}

pub(crate) fn place(place: &str) -> Result<Place, Failure> {
    let mut members = Members::read(place)?;
    let place = take_place(&mut members)?;
    members.end()?;
    Ok(place)
}

/// Reads the options of an explanation: those of a verifier, and of a [`Place`] next to them.
pub(crate) fn explain(options: &str) -> Result<(VerifierConfig, Place), Failure> {
    let mut members = Members::read(options)?;
    let place = take_place(&mut members)?;
    Ok((rest_as_verifier(members)?, place))
}

fn take_place(members: &mut Members) -> Result<Place, Misfit> {
    Ok(Place { url: members.text("url")?, header: members.text("header")? })
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

impl From<Misfit> for Failure {
    fn from(misfit: Misfit) -> Self {
        Self::invalid_option(misfit.of("the options"))
    }
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
                "`leeway_seconds` does not fit: it is a negative number, expected a whole number from 0",
            ),
            (
                r#"{"audiences":["a"],"leeway_seconds":1.5}"#,
                "`leeway_seconds` does not fit: it is a number with a fraction, expected a whole number from 0",
            ),
            (
                r#"{"audiences":["a"],"allowed_emails":{}}"#,
                "`allowed_emails` does not fit: it is an object, expected an array of strings",
            ),
            (r#"{"audiences":["a"],"any_caller":"yes"}"#, "`any_caller` does not fit: it is a string"),
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
