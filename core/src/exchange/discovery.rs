//! An issuer's discovery document (OpenID Connect Discovery 1.0, section 4).

use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response, document};
use crate::jose::alg::Algorithm;
use crate::json::{self, Value};
use crate::signing::Signing;
use crate::step::{HttpRequest, Millis};
use crate::url::Url;

const WHO: &str = "the issuer's discovery document";
const PATH: &str = "/.well-known/openid-configuration";

/// The URL that names an OpenID Connect issuer.
#[derive(Clone, Debug)]
pub(crate) struct Issuer(Url);

impl Issuer {
    /// Reads `https://…` without query and fragment, `http` on a loopback host; or says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text)?;
        if !url.is_https() && !url.is_loopback() {
            return Err("begins with http://");
        }
        if text.contains('?') {
            return Err("has a query");
        }
        Ok(Self(url))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    fn discovery_url(&self) -> String {
        format!("{}{PATH}", self.0.as_str().trim_end_matches('/'))
    }
}

/// Fetches the document.
pub(crate) struct FetchDiscovery {
    pub(crate) issuer: Issuer,
}

/// What the document says, and its life in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Discovered {
    pub(crate) keys_url: String,
    /// Those that gatepass verifies.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) lifetime_ms: u64,
}

impl Endpoint for FetchDiscovery {
    const WHO: &str = WHO;
    type Output = Discovered;

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        Ok(document::get(self.issuer.discovery_url()).into())
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<Discovered, Error> {
        let body = document::body(response, WHO, ErrorCode::DiscoveryInvalid)?;
        let names = ["issuer", "jwks_uri", "id_token_signing_alg_values_supported"];
        let [issuer, keys_url, algorithms] =
            json::members(body, names).map_err(|error| invalid(format!("{WHO} is {error}")))?;
        // Section 4.3: exactly, or one issuer could impersonate another.
        if issuer.as_ref().and_then(Value::as_str) != Some(self.issuer.0.as_str()) {
            return Err(invalid(format!("{WHO} names another issuer than {}", self.issuer.0.as_str())));
        }
        Ok(Discovered {
            keys_url: self.keys_url(keys_url.as_ref())?,
            algorithms: signing_algorithms(algorithms.as_ref())?,
            lifetime_ms: document::lifetime_ms(response),
        })
    }
}

impl FetchDiscovery {
    fn keys_url(&self, found: Option<&Value>) -> Result<String, Error> {
        let refused = |why: &str| invalid(format!("the jwks_uri of {WHO} {why}, expected an https URL"));
        let url = found.and_then(Value::as_str).ok_or_else(|| refused("is missing or no string"))?;
        let url = Url::parse(url).map_err(refused)?;
        // An issuer on this machine may have its keys here; one elsewhere must not point inside.
        if url.is_https() || (url.is_loopback() && self.issuer.0.is_loopback()) {
            Ok(url.as_str().to_owned())
        } else {
            Err(refused("begins with http://"))
        }
    }
}

/// The asymmetric ones that gatepass verifies, out of those that the issuer says it signs ID tokens with.
fn signing_algorithms(found: Option<&Value>) -> Result<Vec<Algorithm>, Error> {
    const NAME: &str = "id_token_signing_alg_values_supported";
    let Some(Value::Array(names)) = found else {
        return Err(invalid(format!("{NAME} of {WHO} is missing or no array")));
    };
    let known: Vec<_> = names.iter().filter_map(|name| Algorithm::from_name(name.as_str()?)).collect();
    if known.is_empty() {
        let ours: Vec<_> = Algorithm::ALL.iter().map(|alg| alg.as_str()).collect();
        return Err(invalid(format!("{NAME} of {WHO} holds none of {}", ours.join(", "))));
    }
    Ok(known)
}

/// What the URL serves will be the same a moment later: no second attempt within the operation.
fn invalid(found: String) -> Error {
    Error::new(ErrorCode::DiscoveryInvalid, found).permanent()
}
