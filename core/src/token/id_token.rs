//! ID tokens, as they are received from an endpoint that issues them.

use crate::error::Error;
use crate::step::Millis;
use crate::token::{Issued, jwt};

/// Reads an issued ID token for this audience.
pub(crate) fn read(token: &str, audience: &str, now: Millis, who: &str) -> Result<Issued, Error> {
    jwt::read(token, audience, now, who, "an ID token")
}
