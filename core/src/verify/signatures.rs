//! Who checks signatures: the core itself, or a host that was chosen for it.

use std::convert::Infallible;
use std::sync::Arc;

use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;

/// Who checks signatures.
pub(super) trait Signatures {
    /// What is asked of somebody else first.
    type Question;

    /// Whether `signature` is this key's signature of `message`.
    fn is_valid(
        &self,
        alg: Algorithm,
        key: &Arc<Jwk>,
        message: &str,
        signature: &[u8],
    ) -> Result<bool, Self::Question>;
}

/// The core itself.
pub(super) struct InThisProcess;

impl Signatures for InThisProcess {
    type Question = Infallible;

    fn is_valid(
        &self,
        alg: Algorithm,
        key: &Arc<Jwk>,
        message: &str,
        signature: &[u8],
    ) -> Result<bool, Infallible> {
        Ok(key.verifies(alg, message, signature))
    }
}
