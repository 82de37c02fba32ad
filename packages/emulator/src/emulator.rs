//! The whole: where each path leads.

use crate::http::{Request, Response};
use crate::keys::KeyError;
use crate::mint::TokenChanges;
use crate::state::State;
use crate::time::UnixSeconds;
use crate::token_cache::TokenCache;
use crate::{
    Config, aws_metadata, aws_sts, browser, certs, control, gdch, iam_credentials, metadata, page, paths,
    sts, subject_token_source, token, token_info,
};

/// A stand-in for the Google endpoints that issue and publish service identity.
///
/// [`handle`](Self::handle) takes `&self`: put the emulator behind an `Arc` and call it from as many threads as you
/// like. The first request that needs a key waits until it is derived, see [`keys`](crate::keys).
pub struct Emulator {
    state: State,
}

impl Emulator {
    /// Sets an emulator up, with no request counted, no fault waiting and no token handed out.
    pub fn new(config: Config) -> Self {
        Self { state: State::new(config) }
    }

    /// Gives what the emulator pretends to be.
    pub fn config(&self) -> &Config {
        &self.state.config
    }

    /// Orders what happens to coming requests, in the JSON of `POST /emulator/v1/fault`.
    pub fn order_fault(&self, order: &[u8]) -> Result<(), serde_json::Error> {
        self.state.order_fault(order)
    }

    /// Lets the emulator's clock be so many seconds fast, or, if they are negative, slow.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state.set_clock_offset(seconds);
    }

    /// Signs with new keys from now on. Those that signed until now stay published until the next time. The metadata
    /// server forgets the tokens that it would hand out again.
    pub fn rotate_keys(&self) {
        self.state.rotate_keys();
    }

    /// Derives the published keys, which the first requests would otherwise wait for. Takes a second or less; call
    /// it when the server starts.
    pub fn derive_published_keys(&self) -> Result<(), KeyError> {
        self.state.derive_published_keys()
    }

    /// Answers one request. `now` is the time of its arrival; it may jump in either direction.
    pub fn handle(&self, request: &Request, now: UnixSeconds) -> Response {
        let state = &self.state;
        let now = state.by_clock(now);
        if let Some(refused) = browser::refuse(&state.config, request) {
            return refused;
        }
        if paths::is_control(&request.path) {
            return control::answer(state, request, now);
        }
        if page::is_wanted(request) {
            return page::index(&state.config);
        }
        state.requests.record(&request.path);
        let config = &state.current_config();
        let real = |changes: Option<TokenChanges>| match changes {
            None => self.answer(config, &state.metadata_tokens, request, now),
            // A changed token is neither taken from the cache nor left in it.
            Some(changes) => self.answer(&config.with_changes(changes), &TokenCache::default(), request, now),
        };
        let fault = state.faults.next_for(&request.path);
        let is_fault = fault.is_some();
        let response = match fault {
            Some(fault) => fault.apply(real),
            None => real(None),
        };
        state.activity.note(request, &response, is_fault, now);
        response
    }

    fn answer(
        &self,
        config: &Config,
        metadata_tokens: &TokenCache,
        request: &Request,
        now: UnixSeconds,
    ) -> Response {
        let refresh_tokens = &self.state.refresh_tokens;
        let answered = match request.path.as_str() {
            "/" if request.method == "POST" => aws_sts::answer(config, request, now),
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
            paths::SUBJECT_TOKEN => get_only(request, || subject_token_source::answer(config, request, now)),
            paths::AZURE_APP => get_only(request, || subject_token_source::azure_app(config, request, now)),
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
        "the gatepass emulator has no endpoint {path}; it answers POST /, /computeMetadata/v1/…, /token, /tokeninfo, /v1/token, \
         /v1/oauthtoken, /v1/projects/-/serviceAccounts/…, /authenticate, /latest/…, /v1/credentials, /v2/credentials/…, /msi/token, /emulator/v1/subject-token, /oauth2/v1/certs, \
         /oauth2/v3/certs, /iap/verify/public_key, /iap/verify/public_key-jwk, /.well-known/openid-configuration \
         and its control API, /emulator/v1/…\n"
    );
    Response::new(404, "text/plain; charset=utf-8", body)
}
