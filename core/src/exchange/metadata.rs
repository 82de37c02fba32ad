//! The metadata server of Compute Engine, GKE and Cloud Run (Compute Engine documentation, "Access VM metadata").

use crate::encoding::form;
use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response};
use crate::signing::Signing;
use crate::step::{HttpRequest, Millis, Route};
use crate::token::{Issued, Want, access_token, id_token};

/// Longest wait for an answer: it comes late where a machine has just started, or is busy. Google's libraries wait, too.
pub(crate) const TIMEOUT_MS: u64 = 10_000;
/// Longest waits for the answers that say whether there is a metadata server at all, attempt after attempt.
pub(crate) const PING_TIMEOUTS_MS: [u64; 3] = [1_000, 2_000, 3_000];

const WHO: &str = "the metadata server";

/// Asks whether a metadata server is there.
pub(crate) struct Ping {
    /// `host` or `host:port`.
    pub(crate) address: String,
    pub(crate) timeout_ms: u64,
}

impl Ping {
    /// The request; any answer with the right flavor is a yes, every other a no.
    pub(crate) fn request(&self) -> HttpRequest {
        get(format!("http://{}/", self.address), self.timeout_ms)
    }
}

/// Whether these headers are a metadata server's: exactly one `Metadata-Flavor: Google`.
pub(crate) fn has_flavor(headers: &[(String, String)]) -> bool {
    let mut flavors = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("metadata-flavor"));
    matches!((flavors.next(), flavors.next()), (Some((_, value)), None) if value == "Google")
}

/// Asks for a token of the default service account.
pub(crate) struct MetadataToken {
    pub(crate) host: String,
    pub(crate) timeout_ms: u64,
    pub(crate) want: Want,
}

impl Endpoint for MetadataToken {
    const WHO: &str = WHO;
    type Output = Issued;

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let account = format!("http://{}/computeMetadata/v1/instance/service-accounts/default", self.host);
        let url = match &self.want {
            // Without format=full there is no e-mail in the token, and IAP refuses it.
            Want::IdToken { audience } => {
                format!("{account}/identity?{}", form(&[("audience", audience), ("format", "full")]).expose())
            }
            Want::AccessToken { scopes } if scopes.is_empty() => format!("{account}/token"),
            Want::AccessToken { scopes } => {
                format!("{account}/token?{}", form(&[("scopes", &scopes.join(","))]).expose())
            }
        };
        Ok(get(url, self.timeout_ms).into())
    }

    fn read(&self, now: Millis, response: &Response) -> Result<Issued, Error> {
        if let Some(error) = response.refusal(WHO) {
            return Err(match (response.status, &self.want) {
                (404, _) => error.hinting("this machine has no service account, or it has no scopes"),
                (400, Want::IdToken { .. }) => {
                    error.hinting("on GKE, link the Kubernetes service account to a Google one")
                }
                _ => error,
            });
        }
        if response.header("metadata-flavor").as_deref() != Some("Google") {
            return Err(Error::new(
                ErrorCode::TokenResponseInvalid,
                "the answer has no header Metadata-Flavor: Google, so it does not come from a metadata server",
            ));
        }
        let body = response.body.expose();
        if body.trim_ascii().is_empty() {
            // One that has just started may have nothing to say yet.
            let found = "the metadata server answered with nothing, expected a token";
            return Err(Error::new(ErrorCode::TokenResponseInvalid, found).retryable());
        }
        match &self.want {
            Want::IdToken { audience } => {
                let token = std::str::from_utf8(body).unwrap_or_default().trim_ascii();
                id_token::read(token, audience, now, WHO)
            }
            Want::AccessToken { .. } => access_token::read_response(body, now, WHO),
        }
    }
}

/// Asks for one value of the metadata, such as `instance/region`.
pub(crate) struct MetadataValue {
    /// `host` or `host:port`.
    pub(crate) host: String,
    /// Below `/computeMetadata/v1/`.
    pub(crate) path: &'static str,
    pub(crate) timeout_ms: u64,
}

impl Endpoint for MetadataValue {
    const WHO: &str = WHO;
    type Output = String;

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        let url = format!("http://{}/computeMetadata/v1/{}", self.host, self.path);
        Ok(get(url, self.timeout_ms).into())
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<String, Error> {
        match response.refusal(WHO) {
            Some(error) => Err(error),
            None => {
                Ok(std::str::from_utf8(response.body.expose()).unwrap_or_default().trim_ascii().to_owned())
            }
        }
    }
}

fn get(url: String, timeout_ms: u64) -> HttpRequest {
    HttpRequest::get(url, Route::Direct, timeout_ms).with_header("metadata-flavor", "Google")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_means_on_a_metadata_server_is_said() {
        let read = |want, status| {
            let endpoint = MetadataToken { host: "m".into(), timeout_ms: 1, want };
            let response = Response { status, headers: Vec::new(), body: crate::Secret::default() };
            endpoint
                .read(Millis(0), &response)
                .err()
                .map(|error| error.detail().to_owned())
                .unwrap_or_default()
        };
        let id_token = || Want::IdToken { audience: "a".into() };
        let access_token = || Want::AccessToken { scopes: Vec::new() };
        let on_gke = "link the Kubernetes service account";
        assert!(read(id_token(), 400).contains(on_gke) && !read(access_token(), 400).contains(on_gke));
        for want in [id_token(), access_token()] {
            assert!(read(want, 404).contains("no service account"));
        }
        assert!(!read(id_token(), 403).contains('('));
    }
}
