//! Mistakes that people make with tokens, recognised by the text alone: nothing here is believed.

pub(crate) mod audience;
mod kind;
pub(crate) mod wrapping;

pub use self::kind::{Claimed, Kind};
pub(crate) use self::kind::{
    FIREBASE_ISSUER, GOOGLE_ISSUERS, IAP_ISSUER, all_shown, moment, not_a_token, span,
};
