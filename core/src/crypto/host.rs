//! Arithmetic by the host, for a core that is built without a provider of its own: as WebAssembly beside a library that
//! is faster than anything compiled into it could be.

use std::sync::OnceLock;

/// What a host computes. Integers are big-endian; the numbers of the primitives are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Primitive {
    /// SHA-256 (FIPS 180-4) of the input.
    Sha256 = 1,
    /// HMAC with SHA-256 (RFC 2104): key, message.
    HmacSha256 = 2,
    /// Whether an uncompressed point (SEC 1, section 2.3.3) lies on P-256. The output is empty.
    IsOnP256 = 3,
    /// The same for P-384.
    IsOnP384 = 4,
    /// Whether a signature is that of a key: modulus, exponent, message, signature (RFC 8017, section 8.2.2). The output
    /// is empty.
    VerifyRsaPkcs1Sha256 = 5,
    /// The same with SHA-384.
    VerifyRsaPkcs1Sha384 = 6,
    /// The same with SHA-512.
    VerifyRsaPkcs1Sha512 = 7,
    /// The same by RFC 8017, section 8.1.2, with a salt of the hash's length.
    VerifyRsaPssSha256 = 8,
    /// The same for an uncompressed point, message, and r and s side by side (RFC 7518, section 3.4).
    VerifyEcdsaP256Sha256 = 9,
    /// The same on P-384.
    VerifyEcdsaP384Sha384 = 10,
    /// The same for a point of edwards25519, message, signature (RFC 8032, section 5.1.7).
    VerifyEd25519 = 11,
    /// The bits of the modulus, four bytes, of a private RSA key in PKCS#8 DER (RFC 5208); or one byte: see [`BadKey`].
    RsaPkcs8 = 12,
    /// The same in PKCS#1 DER (RFC 8017, appendix A.1.2).
    RsaPkcs1 = 13,
    /// Signs with a key in PKCS#8 DER: key, message (RFC 8017, section 8.2.1, with SHA-256).
    SignRsaPkcs8 = 14,
    /// The same with a key in PKCS#1 DER.
    SignRsaPkcs1 = 15,
    /// Nothing, of a private P-256 key in PKCS#8 DER (RFC 5958); or one byte: see [`BadKey`].
    P256Pkcs8 = 16,
    /// Nothing, of a private number and the uncompressed point that belongs to it; or one byte: see [`BadKey`].
    P256Parts = 17,
    /// Signs with a key in PKCS#8 DER: key, message. The output is r and s side by side.
    SignP256Pkcs8 = 18,
    /// The same with a private number and its point: number, point, message.
    SignP256Parts = 19,
}

/// What is wrong with a private key. No answer at all means that it cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BadKey {
    /// It is one of another algorithm or curve.
    Kind = 1,
    /// Its parts do not belong together.
    Parts = 2,
}

/// Computes for a core without a provider of its own.
pub trait HostCrypto: Send + Sync {
    /// Writes the output, whose length it returns; `None` where there is none to these inputs: a signature is not valid, a
    /// point not on its curve, a key not readable. The host reads no more into the inputs than the primitive says.
    fn compute(&self, what: Primitive, inputs: &[&[u8]], output: &mut [u8]) -> Option<usize>;
}

static HOST: OnceLock<&'static dyn HostCrypto> = OnceLock::new();

/// Names the host that computes. The first one stays; one that has a provider of its own is never asked.
pub fn set_host_crypto(host: &'static dyn HostCrypto) {
    HOST.get_or_init(|| host);
}

/// What the host computes; nothing where no host was named.
#[cfg(not(any(feature = "ring", feature = "aws-lc-rs", feature = "by-step")))]
pub(super) fn compute(what: Primitive, inputs: &[&[u8]], output: &mut [u8]) -> Option<usize> {
    HOST.get()?.compute(what, inputs, output)
}
