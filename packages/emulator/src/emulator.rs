//! The whole: where each path leads.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::faults::{Faults, TokenChanges};
use crate::http::{Request, Response};
use crate::keys::{EcKey, KeyError, KeySet, RsaKey};
use crate::refresh_tokens::RefreshTokens;
use crate::request_log::RequestLog;
use crate::time::UnixSeconds;
use crate::token_cache::TokenCache;
use crate::{
    Config, aws_metadata, certs, control, gdch, iam_credentials, metadata, sts, subject_token_source, token,
    token_info,
};

/// A stand-in for the Google endpoints that issue and publish service identity.
///
/// [`handle`](Self::handle) takes `&self`: put the emulator behind an `Arc` and call it from as many threads as you
/// like. The first request that needs a key waits until it is derived, see [`keys`](crate::keys).
pub struct Emulator {
    config: Config,
    metadata_tokens: TokenCache,
    refresh_tokens: RefreshTokens,
    key_rotations: AtomicU64,
    clock_offset: AtomicI64,
    pub(crate) requests: RequestLog,
    pub(crate) faults: Faults,
}

impl Emulator {
    /// Sets an emulator up, with no request counted, no fault waiting and no token handed out.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            metadata_tokens: TokenCache::default(),
            refresh_tokens: RefreshTokens::default(),
            key_rotations: AtomicU64::new(0),
            clock_offset: AtomicI64::new(0),
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
        let now = now.shifted(self.clock_offset.load(Ordering::Relaxed));
        if control::owns(&request.path) {
            return control::answer(self, request, now);
        }
        self.requests.record(&request.path);
        let config = &self.current_config();
        let real = |changes: Option<TokenChanges>| match changes {
            None => self.answer(config, &self.metadata_tokens, request, now),
            // A changed token is neither taken from the cache nor left in it.
            Some(changes) => self.answer(&changes.apply(config), &TokenCache::default(), request, now),
        };
        match self.faults.next_for(&request.path) {
            Some(fault) => fault.apply(real),
            None => real(None),
        }
    }

    /// Orders what happens to coming requests, in the JSON of `POST /emulator/v1/fault`.
    pub fn order_fault(&self, order: &[u8]) -> Result<(), serde_json::Error> {
        self.faults.add(serde_json::from_slice(order)?);
        Ok(())
    }

    /// Lets the emulator's clock be so many seconds fast, or, if they are negative, slow.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.clock_offset.store(seconds, Ordering::Relaxed);
    }

    /// Signs with new keys from now on. Those that signed until now stay published until the next time. The metadata
    /// server forgets the tokens that it would hand out again.
    pub fn rotate_keys(&self) {
        self.key_rotations.fetch_add(1, Ordering::Relaxed);
        self.metadata_tokens.clear();
    }

    /// The configuration by which an endpoint answers now.
    pub(crate) fn current_config(&self) -> Config {
        Config { key_rotations: self.key_rotations.load(Ordering::Relaxed), ..self.config.clone() }
    }

    /// Derives the published keys, which the first requests would otherwise wait for. Takes a second or less; call
    /// it when the server starts.
    pub fn derive_published_keys(&self) -> Result<(), KeyError> {
        let rotations = self.key_rotations.load(Ordering::Relaxed);
        for label in KeySet::Google.labels(rotations) {
            RsaKey::derive(&label)?;
        }
        for label in KeySet::Iap.labels(rotations) {
            EcKey::derive(&label)?;
        }
        Ok(())
    }

    fn answer(
        &self,
        config: &Config,
        metadata_tokens: &TokenCache,
        request: &Request,
        now: UnixSeconds,
    ) -> Response {
        let refresh_tokens = &self.refresh_tokens;
        let answered = match request.path.as_str() {
            path if metadata::owns(path) => metadata::answer(config, metadata_tokens, request, now),
            path if iam_credentials::owns(path) => iam_credentials::answer(config, request, now),
            path if aws_metadata::owns(path) => Ok(aws_metadata::answer(request, now)),
            "/token" => post_only(request, || token::answer(config, refresh_tokens, request, now)),
            "/tokeninfo" => get_only(request, || token_info::answer(config, request, now)),
            "/v1/token" | "/sts/v1/token" => post_only(request, || sts::exchange(config, request, now)),
            "/v1/oauthtoken" | "/sts/v1/oauthtoken" => {
                post_only(request, || sts::refresh(config, refresh_tokens, request, now))
            }
            gdch::PATH => post_only(request, || gdch::answer(config, request, now)),
            subject_token_source::PATH => {
                get_only(request, || subject_token_source::answer(config, request, now))
            }
            "/oauth2/v1/certs" => get_only(request, || certs::google_pem(config)),
            "/oauth2/v3/certs" => get_only(request, || certs::google_jwk(config)),
            "/iap/verify/public_key" => get_only(request, || certs::iap_pem(config)),
            "/iap/verify/public_key-jwk" => get_only(request, || certs::iap_jwk(config)),
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
         /v1/oauthtoken, /v1/projects/-/serviceAccounts/…, /authenticate, /latest/…, /emulator/v1/subject-token, /oauth2/v1/certs, \
         /oauth2/v3/certs, /iap/verify/public_key, /iap/verify/public_key-jwk, /.well-known/openid-configuration \
         and its control API, /emulator/v1/…\n"
    );
    Response::new(404, "text/plain; charset=utf-8", body)
}
