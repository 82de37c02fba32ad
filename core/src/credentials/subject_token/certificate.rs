//! `{"certificate": …}`: an X.509 certificate, presented over mTLS (AIP-4118). The subject token is its chain.

use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::{Subject, failed};
use crate::encoding::{base64_encode, pem_decode_all};
use crate::environment::{self, Environment};
use crate::error::Error;
use crate::json;
use crate::quote;
use crate::secret::Secret;
use crate::step::{ClientCertificate, Now, Operation, Reply, Step};

#[derive(Clone)]
pub(crate) struct Source {
    /// `None`: at the default location.
    config: Option<String>,
    trust_chain_path: Option<String>,
}

impl Source {
    pub(crate) fn from_fields(fields: Fields<'_>) -> Result<Self, Error> {
        let default = fields.flag("use_default_certificate_config")?;
        let config = fields.optional_path("certificate_config_location")?.map(str::to_owned);
        if default == config.is_some() {
            return Err(invalid(
                "certificate",
                "without exactly one location",
                "use_default_certificate_config or certificate_config_location",
            ));
        }
        Ok(Self { config, trust_chain_path: fields.optional_path("trust_chain_path")?.map(str::to_owned) })
    }
}

pub(crate) struct Read {
    source: Source,
    state: State,
}

enum State {
    Created,
    ReadingEnv,
    ReadingConfig,
    ReadingCertificate(ClientCertificate),
    ReadingChain { certificate: ClientCertificate, leaf: Vec<u8> },
}

impl Read {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, state: State::Created }
    }

    fn read(&mut self, path: String, then: State) -> Step<Subject> {
        self.state = then;
        Step::read_file(path)
    }

    fn read_certificate(&mut self, config: &str) -> Step<Subject> {
        let paths = json::members(config.as_bytes(), ["cert_configs"]).ok().and_then(|[configs]| {
            let configs = configs?;
            let workload = configs.member("workload")?;
            let path = |name| Some(workload.member(name)?.as_str()?.to_owned());
            Some(ClientCertificate { cert_path: path("cert_path")?, key_path: path("key_path")? })
        });
        match paths {
            Some(certificate) => {
                self.read(certificate.cert_path.clone(), State::ReadingCertificate(certificate))
            }
            None => Step::Fail(failed(
                "the certificate configuration lacks cert_configs.workload with cert_path and key_path",
            )),
        }
    }

    fn read_chain(&mut self, certificate: ClientCertificate, pem: &str) -> Step<Subject> {
        let Some(leaf) = pem_decode_all(pem, "CERTIFICATE").and_then(|all| all.into_iter().next()) else {
            return Step::Fail(failed(format!(
                "{} holds no PEM certificate",
                quote::path(&certificate.cert_path)
            )));
        };
        match self.source.trust_chain_path.clone() {
            Some(path) => self.read(path, State::ReadingChain { certificate, leaf }),
            None => Step::Done(subject(certificate, &[leaf])),
        }
    }
}

impl Operation for Read {
    type Output = Subject;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<Subject> {
        match (std::mem::replace(&mut self.state, State::Created), reply) {
            (State::Created, Reply::Start) => match self.source.config.clone() {
                Some(path) => self.read(path, State::ReadingConfig),
                None => {
                    self.state = State::ReadingEnv;
                    Step::ReadEnv { names: environment::OF_CERTIFICATES }
                }
            },
            (State::ReadingEnv, Reply::Env(values)) => match Environment::new(values).certificate_config() {
                Some(path) => self.read(path, State::ReadingConfig),
                None => {
                    Step::Fail(failed("the default certificate configuration has no path: HOME is not set"))
                }
            },
            (State::ReadingConfig, Reply::Text(text)) => self.read_certificate(text.expose()),
            (State::ReadingCertificate(certificate), Reply::Text(text)) => {
                self.read_chain(certificate, text.expose())
            }
            (State::ReadingChain { certificate, leaf }, Reply::Text(text)) => {
                chain(certificate, leaf, text.expose()).into()
            }
            (State::ReadingConfig, Reply::Failed { .. }) => {
                Step::Fail(failed("the certificate configuration cannot be read"))
            }
            (State::ReadingCertificate(certificate), Reply::Failed { .. }) => Step::Fail(failed(format!(
                "the certificate {} cannot be read",
                quote::unread_path(&certificate.cert_path)
            ))),
            (State::ReadingChain { .. }, Reply::Failed { .. }) => {
                Step::Fail(failed("the trust chain cannot be read"))
            }
            (State::Created, other) => Step::misuse("Start", &other),
            (State::ReadingEnv, other) => Step::misuse("Env", &other),
            (_, other) => Step::misuse("Text or Failed", &other),
        }
    }
}

/// The leaf, then the trust chain; a leaf at the head of the chain is not sent twice, one within it is a mistake.
fn chain(certificate: ClientCertificate, leaf: Vec<u8>, pem: &str) -> Result<Subject, Error> {
    let chain = pem_decode_all(pem, "CERTIFICATE")
        .ok_or_else(|| failed("the trust chain is not PEM certificates"))?;
    let above = chain.strip_prefix(std::slice::from_ref(&leaf)).unwrap_or(&chain);
    if above.contains(&leaf) {
        return Err(failed("the certificate is within the trust chain, expected it first or not at all"));
    }
    Ok(subject(certificate, &[&[leaf], above].concat()))
}

fn subject(certificate: ClientCertificate, chain: &[Vec<u8>]) -> Subject {
    let chain: Vec<_> = chain.iter().map(|der| base64_encode(der)).collect();
    Subject { token: Secret::new(json::texts(&chain)), client_certificate: Some(certificate) }
}
