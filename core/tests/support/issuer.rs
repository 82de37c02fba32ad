//! An issuer that the tests play: keys of four algorithms, and tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use serde_json::{Value, json};

/// A private key with the algorithm and the name that its tokens bear.
pub(crate) struct Key {
    pub(crate) kid: String,
    private: Private,
}

enum Private {
    Rs256(ring::rsa::KeyPair),
    Ps256(ring::rsa::KeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Box<Ed25519KeyPair>),
}

/// TEST KEY, NOT A SECRET: the public point of the scalar 1, 2, 3 … 32.
const POINT: &str = "BFFcPW6545a5BNP-yn9U_c0MwemXvzddylFa0KbDtANfRTa-OlDzGPv5pUdZAqIhUCvvDVfgjFOyzApW8X2fk1Q";

impl Key {
    pub(crate) fn rs256() -> Self {
        Self { kid: "rsa".into(), private: Private::Rs256(super::key()) }
    }

    pub(crate) fn ps256() -> Self {
        Self { kid: "pss".into(), private: Private::Ps256(super::key()) }
    }

    pub(crate) fn es256() -> Self {
        let (alg, scalar) = (&ECDSA_P256_SHA256_FIXED_SIGNING, (1..=32).collect::<Vec<u8>>());
        let point = URL_SAFE_NO_PAD.decode(POINT).unwrap();
        let key = EcdsaKeyPair::from_private_key_and_public_key(alg, &scalar, &point, &SystemRandom::new())
            .unwrap();
        Self { kid: "ec".into(), private: Private::Es256(key) }
    }

    /// TEST KEY, NOT A SECRET: `number` is its seed.
    pub(crate) fn eddsa(kid: &str, number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        Self { kid: kid.into(), private: Private::EdDsa(Box::new(key)) }
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self.private {
            Private::Rs256(_) => "RS256",
            Private::Ps256(_) => "PS256",
            Private::Es256(_) => "ES256",
            Private::EdDsa(_) => "EdDSA",
        }
    }

    /// A token with this payload, whatever it is.
    pub(crate) fn token(&self, payload: &str) -> String {
        self.token_with_header(&json!({"alg": self.alg(), "kid": self.kid, "typ": "JWT"}), payload)
    }

    /// The same with another header.
    pub(crate) fn token_with_header(&self, header: &Value, payload: &str) -> String {
        let header = header.to_string();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |key: &ring::rsa::KeyPair, padding| {
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(padding, &random, message, &mut signature).unwrap();
            signature
        };
        match &self.private {
            Private::Rs256(key) => rsa(key, &RSA_PKCS1_SHA256),
            Private::Ps256(key) => rsa(key, &RSA_PSS_SHA256),
            Private::Es256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Private::EdDsa(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// Its public half, as an entry of a key set.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.private {
            Private::Rs256(key) | Private::Ps256(key) => {
                let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
                let [n, e] = [public.n, public.e].map(|number| URL_SAFE_NO_PAD.encode(number));
                json!({"kty": "RSA", "n": n, "e": e})
            }
            Private::Es256(key) => {
                let [x, y] =
                    [1..33, 33..65].map(|part| URL_SAFE_NO_PAD.encode(&key.public_key().as_ref()[part]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
            Private::EdDsa(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key.public_key())})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.alg());
        jwk
    }
}

/// The key set of these keys.
pub(crate) fn key_set<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Value {
    json!({"keys": keys.into_iter().map(Key::jwk).collect::<Vec<_>>()})
}
