//! Signatures of accounts: made at once where the core computes, and by the host where it does not.

use crate::encoding::{base64_decode, base64_encode};
use crate::error::{Error, ErrorCode};
use crate::jose::jws::SigningKey;
use crate::quote;
use crate::secret::Secret;
use crate::step::{DataToSign, HostFailure, Now, Operation, Reply, Step, misuse};

/// Something with a signature in it.
pub(crate) enum Signing<T> {
    Done(T),
    /// The host is to be asked for the signature first.
    Open(Unsigned<T>),
}

/// Something that the host's signature is missing from.
pub(crate) struct Unsigned<T> {
    question: DataToSign,
    signature_length: usize,
    finish: Box<dyn FnOnce(Vec<u8>) -> T + Send>,
}

/// Signs `data`.
pub(crate) fn sign(key: &(impl SigningKey + ?Sized), data: &[u8]) -> Result<Signing<Vec<u8>>, Error> {
    let Some(for_host) = key.for_host() else {
        return key.sign(data).map(Signing::Done).ok_or_else(|| {
            Error::new(ErrorCode::Internal, "this system gives no random numbers to sign with")
        });
    };
    let question = DataToSign {
        alg: key.algorithm().as_str(),
        key: for_host.pkcs8.clone(),
        data: Secret::new(base64_encode(data)),
    };
    let signature_length = for_host.signature_length;
    Ok(Signing::Open(Unsigned { question, signature_length, finish: Box::new(|signature| signature) }))
}

impl<T: 'static> Signing<T> {
    /// What is made of it once it is signed.
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> U + Send + 'static) -> Signing<U> {
        match self {
            Self::Done(signed) => Signing::Done(make(signed)),
            Self::Open(Unsigned { question, signature_length, finish }) => Signing::Open(Unsigned {
                question,
                signature_length,
                finish: Box::new(|signature| make(finish(signature))),
            }),
        }
    }
}

impl<T> From<T> for Signing<T> {
    /// Something that needs no signature.
    fn from(done: T) -> Self {
        Self::Done(done)
    }
}

impl<T> Unsigned<T> {
    /// What the host is asked.
    pub(crate) fn step<U>(&self) -> Step<U> {
        Step::Sign(self.question.clone())
    }

    /// What comes of the host's answer, which is taken at its word but for its length.
    pub(crate) fn answered(self, reply: Reply) -> Result<T, Error> {
        match reply {
            Reply::Signed { signature } => match base64_decode(signature.expose()) {
                Some(signature) if signature.len() == self.signature_length => Ok((self.finish)(signature)),
                other => Err(self.no_signature(other.map(|signature| signature.len()))),
            },
            Reply::Failed { kind, message } => Err(self.not_signed(kind, &message)),
            other => Err(misuse("Signed or Failed", &other)),
        }
    }

    fn no_signature(&self, length: Option<usize>) -> Error {
        let found = length.map_or("is not base64".to_owned(), |length| format!("has {length} bytes"));
        let (alg, expected) = (self.question.alg, self.signature_length);
        Error::new(
            ErrorCode::ApiMisuse,
            format!("the host's signature {found}, expected {expected} bytes, as {alg} has with this key"),
        )
    }

    fn not_signed(&self, kind: HostFailure, message: &str) -> Error {
        let (alg, because) = (self.question.alg, quote::because(message));
        match kind {
            HostFailure::Unsupported => {
                Error::new(ErrorCode::Unsupported, format!("this host does not sign with {alg}{because}"))
            }
            _ => Error::new(
                ErrorCode::CredentialsFileInvalid,
                format!("the host cannot sign with the field \"private_key\" ({alg}){because}"),
            ),
        }
    }
}

/// A host that signs with ring, for tests of what signs.
#[cfg(test)]
pub(crate) fn signed_by_ring(question: &DataToSign) -> Reply {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

    let (key, data) = (base64_decode(question.key.expose()), base64_decode(question.data.expose()));
    let (key, data, random) = (key.unwrap(), data.unwrap(), SystemRandom::new());
    let signature = match question.alg {
        "RS256" => {
            let key = RsaKeyPair::from_pkcs8(&key).unwrap();
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, &data, &mut signature).unwrap();
            signature
        }
        _ => {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
            key.sign(&random, &data).unwrap().as_ref().to_vec()
        }
    };
    Reply::Signed { signature: base64_encode(&signature).into() }
}

/// The operation that signs something.
pub(crate) struct Sign<T>(State<T>);

enum State<T> {
    Created(Begin<T>),
    Asked(Unsigned<T>),
    Ended,
}

type Begin<T> = Box<dyn FnOnce(Now) -> Result<Signing<T>, Error> + Send>;

impl<T> Sign<T> {
    pub(crate) fn new(begin: impl FnOnce(Now) -> Result<Signing<T>, Error> + Send + 'static) -> Self {
        Self(State::Created(Box::new(begin)))
    }
}

impl<T> Operation for Sign<T> {
    type Output = T;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<T> {
        match (std::mem::replace(&mut self.0, State::Ended), reply) {
            (State::Created(begin), Reply::Start) => match begin(now) {
                Ok(Signing::Done(signed)) => Step::Done(signed),
                Ok(Signing::Open(unsigned)) => {
                    let step = unsigned.step();
                    self.0 = State::Asked(unsigned);
                    step
                }
                Err(error) => Step::Fail(error),
            },
            (State::Asked(unsigned), reply) => unsigned.answered(reply).into(),
            (State::Created(_), other) => Step::misuse("Start", &other),
            (State::Ended, other) => Step::misuse("nothing: the operation has ended", &other),
        }
    }
}
