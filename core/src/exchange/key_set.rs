//! The URL where an issuer publishes its keys.

use crate::error::{Error, ErrorCode};
use crate::exchange::{Endpoint, Response, document};
use crate::jose::jwks::KeySet;
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

    fn request(&self, _now: Millis) -> Result<HttpRequest, Error> {
        Ok(document::get(self.url.clone()))
    }

    fn read(&self, _now: Millis, response: &Response) -> Result<Published, Error> {
        let body = document::body(response, WHO, ErrorCode::KeysUnavailable)?;
        let keys = std::str::from_utf8(body).ok().and_then(|text| KeySet::parse(text).ok());
        let keys = keys.filter(|keys| keys.usable() > 0).ok_or_else(|| {
            let found = format!("{WHO} answered with no usable key, expected a JWK set or a PEM map");
            Error::new(ErrorCode::KeysUnavailable, found).permanent()
        })?;
        Ok(Published { keys, lifetime_ms: document::lifetime_ms(response) })
    }
}
