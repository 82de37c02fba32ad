//! JSON Object Signing and Encryption, as far as ID tokens need it: one file per noun of the RFCs.

pub(crate) mod alg;
pub(crate) mod claims;
pub(crate) mod jwk;
pub(crate) mod jwks;
pub(crate) mod jws;
pub(crate) mod x509;

#[cfg(test)]
mod wycheproof;
