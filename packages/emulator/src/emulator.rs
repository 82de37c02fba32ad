//! The whole: where each path leads.

use crate::faults::Faults;
use crate::http::{Request, Response};
use crate::keys::{EcKey, KeyError, KeySet, RsaKey};
use crate::request_log::RequestLog;
use crate::time::UnixSeconds;
use crate::token_cache::TokenCache;
use crate::{
    Config, aws_metadata, certs, control, iam_credentials, metadata, sts, subject_token_source, token,
    token_info,
};

/// A stand-in for the Google endpoints that issue and publish service identity.
///
/// [`handle`](Self::handle) takes `&self`: put the emulator behind an `Arc` and call it from as many threads as you
/// like. The first request that needs a key waits until it is derived, see [`keys`](crate::keys).
pub struct Emulator {
    config: Config,
    metadata_tokens: TokenCache,
    pub(crate) requests: RequestLog,
    pub(crate) faults: Faults,
}

impl Emulator {
    /// Sets an emulator up, with no request counted, no fault waiting and no token handed out.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            metadata_tokens: TokenCache::default(),
            requests: RequestLog::default(),
            faults: Faults::default(),
        }
    }

    /// Gives what the emulator pretends to be.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Answers one request. `now` is the time of its arrival; it may jump in either direction.
    pub fn handle(&self, request: &Request, now: UnixSeconds) -> Response {
        if control::owns(&request.path) {
            return control::answer(self, request, now);
        }
        self.requests.record(&request.path);
        match self.faults.next_for(&request.path) {
            Some(fault) => fault.apply(|| self.answer(request, now)),
            None => self.answer(request, now),
        }
    }

    /// Derives the published keys, which the first requests would otherwise wait for. Takes a second or less; call
    /// it on a thread of its own when the server starts.
    pub fn derive_published_keys(&self) -> Result<(), KeyError> {
        for label in KeySet::Google.labels() {
            RsaKey::derive(label)?;
        }
        for label in KeySet::Iap.labels() {
            EcKey::derive(label)?;
        }
        Ok(())
    }

    fn answer(&self, request: &Request, now: UnixSeconds) -> Response {
        let config = &self.config;
        let answered = match request.path.as_str() {
            path if metadata::owns(path) => metadata::answer(config, &self.metadata_tokens, request, now),
            path if iam_credentials::owns(path) => iam_credentials::answer(config, request, now),
            path if aws_metadata::owns(path) => Ok(aws_metadata::answer(request, now)),
            "/token" => post_only(request, || token::answer(config, request, now)),
            "/tokeninfo" => get_only(request, || token_info::answer(request, now)),
            "/v1/token" | "/sts/v1/token" => post_only(request, || sts::exchange(config, request, now)),
            "/v1/oauthtoken" | "/sts/v1/oauthtoken" => {
                post_only(request, || sts::refresh(config, request, now))
            }
            subject_token_source::PATH => {
                get_only(request, || subject_token_source::answer(config, request, now))
            }
            "/oauth2/v1/certs" => get_only(request, certs::google_pem),
            "/oauth2/v3/certs" => get_only(request, certs::google_jwk),
            "/iap/verify/public_key" => get_only(request, certs::iap_pem),
            "/iap/verify/public_key-jwk" => get_only(request, certs::iap_jwk),
            "/.well-known/openid-configuration" => {
                get_only(request, || Ok(certs::openid_configuration(config)))
            }
            path => Ok(no_such_endpoint(path)),
        };
        answered.unwrap_or_else(|error| Response::new(500, "text/plain; charset=utf-8", format!("{error}\n")))
    }
}

fn get_only(
    request: &Request,
    answer: impl FnOnce() -> Result<Response, KeyError>,
) -> Result<Response, KeyError> {
    if request.is_read() { answer() } else { Ok(Response::method_not_allowed("GET, HEAD")) }
}

fn post_only(
    request: &Request,
    answer: impl FnOnce() -> Result<Response, KeyError>,
) -> Result<Response, KeyError> {
    if request.method == "POST" { answer() } else { Ok(Response::method_not_allowed("POST")) }
}

fn no_such_endpoint(path: &str) -> Response {
    let body = format!(
        "the gatepass emulator has no endpoint {path}; it answers /computeMetadata/v1/…, /token, /tokeninfo, /v1/token, \
         /v1/oauthtoken, /v1/projects/-/serviceAccounts/…, /latest/…, /emulator/v1/subject-token, /oauth2/v1/certs, \
         /oauth2/v3/certs, /iap/verify/public_key, /iap/verify/public_key-jwk, /.well-known/openid-configuration \
         and its control API, /emulator/v1/…\n"
    );
    Response::new(404, "text/plain; charset=utf-8", body)
}
