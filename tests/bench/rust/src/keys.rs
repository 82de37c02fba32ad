//! The benchmark's own test keys, made anew in each run from a public seed, and tokens signed with them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use pkcs8::{EncodePrivateKey, LineEnding};
use rand_chacha::rand_core::SeedableRng;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::traits::PublicKeyParts;
use serde_json::json;

pub const AUDIENCE: &str = "https://orders-7f3kq2x4ca-uc.a.run.app";
pub const ISSUER: &str = "https://accounts.google.com";
pub const KID: &str = "2581b06b700a25e224fe3a3ab4781208c888a491";
pub const EMAIL: &str = "caller@orders-prod.iam.gserviceaccount.com";

#[derive(Default)]
pub struct Tokens {
    pub rs256: Vec<String>,
    pub es256: Vec<String>,
    /// A JWK set with both keys.
    pub keys: String,
    pub rsa_n: Vec<u8>,
    pub rsa_pem: String,
    pub ec_point: Vec<u8>,
    pub ec_der: Vec<u8>,
    pub now_ms: u64,
}

impl Tokens {
    pub fn new() -> Self {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
        let rsa = rsa::RsaPrivateKey::new(&mut rng, 2048).expect("a key");
        let ec = p256::SecretKey::random(&mut rng);
        let rsa_der = rsa.to_pkcs8_der().expect("PKCS#8");
        let ec_der = ec.to_pkcs8_der().expect("PKCS#8");
        let point = ec.public_key().to_encoded_point(false).as_bytes().to_vec();
        let (n, e) = (rsa.n().to_bytes_be(), rsa.e().to_bytes_be());
        let keys = json!({"keys": [
            {"kty": "RSA", "kid": KID, "use": "sig", "alg": "RS256", "n": encode(&n), "e": encode(&e)},
            {"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "alg": "ES256", "x": encode(&point[1..33]), "y": encode(&point[33..])},
        ]});
        let random = SystemRandom::new();
        let rsa_pair = RsaKeyPair::from_pkcs8(rsa_der.as_bytes()).expect("a key");
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as u64;
        let by_rsa = |input: &[u8]| {
            let mut signature = vec![0; 256];
            rsa_pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature).expect("a signature");
            signature
        };
        let mut tokens = Self {
            rs256: (0..1000).map(|index| token(now_ms, index, "RS256", KID, &by_rsa)).collect(),
            es256: Vec::new(),
            keys: keys.to_string(),
            rsa_n: n,
            rsa_pem: rsa.to_pkcs8_pem(LineEnding::LF).expect("PEM").to_string(),
            ec_point: point,
            ec_der: ec_der.as_bytes().to_vec(),
            now_ms,
        };
        tokens.es256 = tokens.many(1000);
        tokens
    }

    /// So many different ES256 tokens, which are signed faster than the others.
    pub fn many(&self, count: usize) -> Vec<String> {
        let random = SystemRandom::new();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.ec_der, &random).expect("a key");
        let sign = |input: &[u8]| pair.sign(&random, input).expect("a signature").as_ref().to_vec();
        (0..count).map(|index| token(self.now_ms, index, "ES256", "ec", &sign)).collect()
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn token(now_ms: u64, index: usize, alg: &str, kid: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
    let header = json!({"alg": alg, "kid": kid, "typ": "JWT"});
    let payload = json!({
        "aud": AUDIENCE, "azp": "113774264463038321964", "email": EMAIL, "email_verified": true,
        "exp": now_ms / 1000 + 3600, "iat": now_ms / 1000, "iss": ISSUER, "sub": format!("1137742644630383{index:06}"),
    });
    let input =
        format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    format!("{input}.{}", encode(&sign(input.as_bytes())))
}
