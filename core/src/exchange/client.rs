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
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", base64_encode(format!("{}:{}", self.id, self.secret.expose()).as_bytes()))
    }
}
