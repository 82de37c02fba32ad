//! JSON Object Signing and Encryption, as far as ID tokens need it: one file per noun of the RFCs.

pub mod alg;
pub mod claims;
pub mod jwk;
pub mod jwks;
pub mod jws;
pub(crate) mod x509;

#[cfg(test)]
mod wycheproof;
