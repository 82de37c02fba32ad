//! Who credentials are, and bytes that they sign.

use crate::encoding::base64_encode;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::exchange::metadata::MetadataValue;
use crate::retry::Jitter;
use crate::step::{Now, Operation, Reply, Step};

/// Who a source's credentials are. Adapters to other clients need it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Principal {
    /// The e-mail of the service account that tokens are for; `None` of a person, and of a federated identity that
    /// impersonates no account.
    pub email: Option<String>,
    /// The project that the credentials belong to, or that the environment names (`GOOGLE_CLOUD_PROJECT`).
    pub project_id: Option<String>,
}

/// Bytes that a service account has signed (RSASSA-PKCS1-v1_5 with SHA-256).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The name of the key, by which its certificate is found.
    pub key_id: Option<String>,
    /// The signature.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The signature in base64, with padding.
    pub fn to_base64(&self) -> String {
        base64_encode(&self.bytes)
    }
}

/// The question who credentials are.
pub(crate) type AskPrincipal = Box<dyn Operation<Output = Principal> + Send>;
/// The signing of bytes.
pub(crate) type SignBytes = Box<dyn Operation<Output = Signature> + Send>;

/// An answer that needs nobody else.
pub(crate) struct Known<T>(pub(crate) Option<Result<T, Error>>);

impl<T> Known<T> {
    pub(crate) fn new(answer: T) -> Self {
        Self(Some(Ok(answer)))
    }
}

impl<T> Operation for Known<T> {
    type Output = T;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<T> {
        match (reply, self.0.take()) {
            (Reply::Start, Some(answer)) => answer.into(),
            (other, _) => Step::misuse("Start", &other),
        }
    }
}

/// Asks the metadata server for the machine's account and project.
pub(super) struct AskMetadata {
    email: Option<String>,
    host: String,
    timeout_ms: u64,
    jitter: Jitter,
    exchange: Exchange<MetadataValue>,
}

impl AskMetadata {
    pub(super) fn new(host: String, timeout_ms: u64, mut jitter: Jitter) -> Self {
        let exchange = email_of(&host, timeout_ms, jitter.fork());
        Self { email: None, host, timeout_ms, jitter, exchange }
    }
}

/// The question for the e-mail of the machine's account.
pub(super) fn email_of(host: &str, timeout_ms: u64, jitter: Jitter) -> Exchange<MetadataValue> {
    let path = "instance/service-accounts/default/email";
    Exchange::new(MetadataValue { host: host.to_owned(), path, timeout_ms }, jitter)
}

impl Operation for AskMetadata {
    type Output = Principal;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Principal> {
        let step = self.exchange.resume(now, reply);
        match self.email.clone() {
            None => step.and_then(|email| {
                self.email = Some(email);
                let (host, timeout_ms) = (self.host.clone(), self.timeout_ms);
                let project = MetadataValue { host, path: "project/project-id", timeout_ms };
                self.exchange = Exchange::new(project, self.jitter.fork());
                self.resume(now, Reply::Start)
            }),
            Some(email) => step.and_then(|project| {
                Step::Done(Principal {
                    email: Some(email),
                    project_id: Some(project).filter(|id| !id.is_empty()),
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_shown_in_base64_with_padding() {
        let signature = Signature { key_id: None, bytes: vec![0xfb, 0xff, 0xfe, 0] };
        assert_eq!(signature.to_base64(), "+//+AA==");
    }
}
