//! Audiences: of a URL that is called, of this service, of what Identity-Aware Proxy protects.

mod iap;
mod own;
mod url;

pub use iap::{IAP_AUDIENCE_FORMS, check_iap_audience};
pub use own::OwnAudiences;
pub(crate) use url::{audience_for_origin, origin};
pub use url::{audience_for_url, same_audience_spellings};
