//! Tokens that look like Google's, and, where a test asks for it, just not quite.

mod access_token;
mod changes;
mod id_token;
mod refresh_token;

pub use self::access_token::AccessToken;
pub(crate) use self::changes::{Changes, TokenChanges};
pub use self::id_token::IdToken;
pub(crate) use self::id_token::{GOOGLE_ISSUER, REMOVED_SIGNATURE};
pub use self::refresh_token::{Grantor, RefreshToken};
