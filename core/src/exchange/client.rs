//! An OAuth 2.0 client that authenticates itself (RFC 6749, section 2.3.1).

use crate::encoding::base64_encode;
use crate::secret::Secret;

/// A client id and its secret.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Secret<String>,
}

impl Client {
    /// The value of an `Authorization` header of the scheme Basic (RFC 7617).
    pub(crate) fn basic(&self) -> Secret<String> {
        let pair = Secret::new([&self.id, ":", self.secret.expose()].concat());
        let encoded = Secret::new(base64_encode(pair.expose().as_bytes()));
        Secret::new(["Basic ", encoded.expose()].concat())
    }
}
