//! Which credentials a program would use, and why.

use gatepass_core::ExplainCredentials;
use gatepass_core::{Error, SourceConfig};

pub use gatepass_core::CredentialsExplanation as Explanation;

use crate::driver::Host;

/// Says where credentials were looked for, and what came of it. No token is fetched.
///
/// # Errors
/// Where it cannot even be looked.
pub fn explain(config: &SourceConfig) -> Result<Explanation, Error> {
    Host::default().drive(ExplainCredentials::new(config))
}
