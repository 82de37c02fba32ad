//! How a request carries a token: which audience it is for, in which headers it goes, and whether it may travel at all.

use crate::audience::{audience_for_origin, origin};
use crate::error::{Error, ErrorCode};
use crate::url::Url;

const AUTHORIZATION: &str = "authorization";
const X_SERVERLESS_AUTHORIZATION: &str = "x-serverless-authorization";

/// A request that is about to be sent with a token.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Where it goes. Ask anew for every redirect that is followed with a token. With gRPC this is the service's URL,
    /// `https://host/package.Service`, as its libraries name it.
    pub url: &'a str,
    /// What it carries.
    pub token: CallToken<'a>,
    /// Where the token goes.
    pub token_header: TokenHeader,
    /// How it travels.
    pub transport: Transport,
}

/// How a request travels, and whether its token may go with it unprotected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// HTTP: the URL says whether it is protected. A loopback host needs no protection.
    Http {
        /// Whether the token may travel unprotected to other hosts, too.
        allow_plain_http: bool,
    },
    /// gRPC: the channel says whether it is protected, whatever the URL says.
    Grpc {
        /// Whether the channel uses TLS, or something as good.
        is_encrypted: bool,
        /// Whether the token may travel unprotected to a loopback host.
        allow_plaintext_loopback: bool,
    },
}

/// The kind of token that a request carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallToken<'a> {
    /// An ID token, for this audience or else the one that is derived from the URL.
    IdToken {
        /// The audience that the program has named.
        audience: Option<&'a str>,
    },
    /// An access token.
    AccessToken,
}

/// The header that a token goes in (Cloud Run documentation, "Service-to-service").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TokenHeader {
    /// `Authorization`
    #[default]
    Authorization,
    /// `X-Serverless-Authorization`: `Authorization` stays the application's own.
    XServerlessAuthorization,
    /// Both: Cloud Run checks the one, and hands the other on to the service with its signature.
    Both,
}

impl TokenHeader {
    /// Every value, by its name among the options.
    pub const ALL: [(&'static str, Self); 3] = [
        (AUTHORIZATION, Self::Authorization),
        (X_SERVERLESS_AUTHORIZATION, Self::XServerlessAuthorization),
        ("both", Self::Both),
    ];
}

/// How a request carries its token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallPlan {
    /// The audience of its ID token; `None` of an access token.
    pub audience: Option<String>,
    /// The headers to set to `Bearer` and the token, in lower case.
    pub headers: &'static [&'static str],
}

/// Says how this request carries its token, or refuses it.
///
/// # Errors
/// [`ErrorCode::InvalidAudience`] when an audience cannot be derived from the URL; [`ErrorCode::InvalidOption`] when the
/// token would travel unprotected, or the URL is none.
///
/// The audience of a gRPC call has no port: Cloud Run's own is `https://host` (Cloud Run documentation, "Using gRPC").
pub fn plan_call(call: &Call<'_>) -> Result<CallPlan, Error> {
    let plan = |audience| CallPlan { audience, headers: headers(call.token_header) };
    let code = match call.token {
        CallToken::IdToken { audience: None } => ErrorCode::InvalidAudience,
        _ => ErrorCode::InvalidOption,
    };
    let invalid = |found: &str| Error::new(code, format!("no token goes to this URL: it {found}"));
    let (origin, path) = origin(call.url).map_err(invalid)?;
    let audience = match call.transport {
        Transport::Http { allow_plain_http } => {
            if !origin.is_https() && !origin.is_loopback() && !allow_plain_http {
                return Err(invalid(
                    "begins with http://, where a token would travel unprotected, expected https:// or the option `allow_plain_http`",
                ));
            }
            audience_for_origin(&origin, path)
        }
        Transport::Grpc { is_encrypted, allow_plaintext_loopback } => {
            if !(is_encrypted || allow_plaintext_loopback && origin.is_loopback()) {
                return Err(Error::new(
                    ErrorCode::InvalidOption,
                    "no token goes to this URL: it is called by a channel without TLS, where a token would travel unprotected, expected TLS, or the option `allow_plaintext_loopback` for a loopback address",
                ));
            }
            let without_port = Url::parse(&format!("https://{}", origin.host())).map_err(invalid)?;
            audience_for_origin(&without_port, "")
        }
    };
    match call.token {
        CallToken::IdToken { audience: Some(given) } => Ok(plan(Some(given.to_owned()))),
        CallToken::IdToken { audience: None } => Ok(plan(Some(audience))),
        CallToken::AccessToken if call.token_header == TokenHeader::Authorization => Ok(plan(None)),
        CallToken::AccessToken => Err(Error::new(
            ErrorCode::InvalidOption,
            "`token_header` is another than authorization, expected that one for an access token",
        )),
    }
}

const fn headers(header: TokenHeader) -> &'static [&'static str] {
    match header {
        TokenHeader::Authorization => &[AUTHORIZATION],
        TokenHeader::XServerlessAuthorization => &[X_SERVERLESS_AUTHORIZATION],
        TokenHeader::Both => &[AUTHORIZATION, X_SERVERLESS_AUTHORIZATION],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(url: &'a str, audience: Option<&'a str>) -> Call<'a> {
        let token = CallToken::IdToken { audience };
        let transport = Transport::Http { allow_plain_http: false };
        Call { url, token, token_header: TokenHeader::Authorization, transport }
    }

    #[test]
    fn the_audience_is_the_programs_or_that_of_the_url() {
        for (url, given, expected) in [
            ("https://tag---a-uc.a.run.app/x", None, "https://a-uc.a.run.app"),
            ("https://a.example:8443/x", Some("custom"), "custom"),
            ("http://127.0.0.1:8080/x", None, "http://127.0.0.1:8080"),
            ("HTTP://LOCALHOST/x", Some("custom"), "custom"),
        ] {
            assert_eq!(plan_call(&call(url, given)).unwrap().audience.as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn no_token_travels_in_clear_unless_the_program_says_so() {
        for url in ["http://plain.example", "http://10.0.0.1/x", "HTTP://plain.example", "ftp://a", "//a", ""]
        {
            for token in [
                CallToken::IdToken { audience: Some("a") },
                CallToken::IdToken { audience: None },
                CallToken::AccessToken,
            ] {
                assert!(plan_call(&Call { token, ..call(url, None) }).is_err(), "{url}");
            }
        }
        let transport = Transport::Http { allow_plain_http: true };
        let open = Call { transport, ..call("http://plain.example:8080/x", None) };
        assert_eq!(plan_call(&open).unwrap().audience.as_deref(), Some("http://plain.example:8080"));
        let error = plan_call(&call("http://plain.example", Some("a"))).unwrap_err();
        assert!(error.code() == ErrorCode::InvalidOption && error.to_string().contains("allow_plain_http"));
        assert!(plan_call(&Call { transport, ..call("ftp://a", Some("a")) }).is_err());
    }

    #[test]
    fn a_grpc_calls_audience_has_no_port_and_its_channel_must_be_protected() {
        let plan = |url, is_encrypted, allow_plaintext_loopback| {
            let transport = Transport::Grpc { is_encrypted, allow_plaintext_loopback };
            plan_call(&Call { transport, ..call(url, None) }).map(|plan| plan.audience.unwrap())
        };
        for (url, expected) in [
            ("https://tag---a-uc.a.run.app:443/shop.Orders", "https://a-uc.a.run.app"),
            ("https://orders.example:8443/shop.Orders", "https://orders.example"),
            ("https://orders.example", "https://orders.example"),
            ("https://[::1]:50051/shop.Orders", "https://[::1]"),
        ] {
            assert_eq!(plan(url, true, false).as_deref(), Ok(expected), "{url}");
        }
        let local = "https://127.0.0.1:50051/shop.Orders";
        assert_eq!(plan(local, false, true).as_deref(), Ok("https://127.0.0.1"));
        let refused = plan(local, false, false).unwrap_err();
        assert!(refused.to_string().contains("`allow_plaintext_loopback`"), "{refused}");
        assert_eq!(refused.code(), ErrorCode::InvalidOption);
        assert!(plan("https://10.0.0.1:50051/shop.Orders", false, true).is_err());
    }

    #[test]
    fn the_token_goes_where_the_option_says() {
        for (_, token_header) in TokenHeader::ALL {
            let id = Call { token_header, ..call("https://a.example", None) };
            let access = Call { token: CallToken::AccessToken, ..id.clone() };
            let expected: &[&str] = match token_header {
                TokenHeader::Authorization => &["authorization"],
                TokenHeader::XServerlessAuthorization => &["x-serverless-authorization"],
                TokenHeader::Both => &["authorization", "x-serverless-authorization"],
            };
            assert_eq!(plan_call(&id).unwrap().headers, expected);
            assert_eq!(plan_call(&access).is_ok(), token_header == TokenHeader::Authorization);
        }
    }

    #[test]
    fn a_url_without_an_audience_is_told_from_one_that_no_token_goes_to() {
        for (given, code) in [(None, ErrorCode::InvalidAudience), (Some("a"), ErrorCode::InvalidOption)] {
            let refused = |url| plan_call(&call(url, given)).map_err(|error| error.code());
            assert_eq!((refused("ftp://a"), refused("http://a.example")), (Err(code), Err(code)));
        }
    }
}
