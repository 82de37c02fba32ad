//! The URL where an issuer publishes its keys.

use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response, document};
use crate::jose::jwks::KeySet;
use crate::signing::Signing;
use crate::step::{HttpRequest, Millis};

const WHO: &str = "the issuer's key URL";

/// Fetches a key set.
pub(crate) struct FetchKeySet {
    pub(crate) url: String,
}

/// A key set with usable keys, and its life in milliseconds.
#[derive(Debug, PartialEq)]
pub(crate) struct Published {
    pub(crate) keys: KeySet,
    pub(crate) lifetime_ms: u64,
}

impl Endpoint for FetchKeySet {
    const WHO: &str = WHO;
    type Output = Published;

    fn request(&self, _now: Millis) -> Result<Signing<HttpRequest>, Error> {
        Ok(document::get(self.url.clone()).into())
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<Published, Error> {
        let body = document::body(response, WHO, ErrorCode::KeysUnavailable)?;
        let refused = |found: &str| {
            let found = format!("{WHO} answered with no usable key{found}, expected a JWK set or a PEM map");
            Error::new(ErrorCode::KeysUnavailable, found).permanent()
        };
        let text = std::str::from_utf8(body).map_err(|_| refused(" (it is not UTF-8)"))?;
        let keys = KeySet::parse(text).map_err(|error| refused(&format!(" ({})", error.detail())))?;
        if keys.usable() == 0 {
            let problem = keys.problem().map(|problem| format!(" ({problem})"));
            return Err(refused(&problem.unwrap_or_default()));
        }
        Ok(Published { keys, lifetime_ms: document::lifetime_ms(response) })
    }
}
