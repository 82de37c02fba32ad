//! Tokens that look like Google's, and, where a test asks for it, just not quite.

mod access_token;
mod id_token;

pub use self::access_token::AccessToken;
pub use self::id_token::IdToken;
