//! The options that say which tokens a receiver accepts.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use gatepass::driver::{self, Millis, Now};
use gatepass::{
    Algorithm, Audiences, Callers, DEFAULT_LEEWAY_SECONDS, Error, Host, KeySource, Preset, Verifier,
    VerifierConfig,
};

use crate::Failure;

#[derive(Args)]
pub(crate) struct VerifierOptions {
    /// Who sends the tokens: a kind of sender that gatepass knows [default: google; with --issuer alone: oidc; explain derives it from the token]
    #[arg(long, value_parser = preset())]
    preset: Option<Preset>,
    /// This receiver's audience, exactly (may be repeated)
    #[arg(long)]
    audience: Vec<String>,
    /// Accept a token for anybody
    #[arg(long)]
    any_audience: bool,
    /// The value of iss, if it is not the preset's (may be repeated); for oidc the URL whose discovery document names
    /// the keys
    #[arg(long)]
    issuer: Vec<String>,
    /// The algorithm, if it is not the preset's (may be repeated)
    #[arg(long, value_parser = algorithm())]
    algorithm: Vec<Algorithm>,
    /// The issuer's keys: a file with a JWK set, one JWK or a PEM map
    #[arg(long, value_name = "FILE", conflicts_with = "keys_url")]
    keys: Option<PathBuf>,
    /// The URL of the issuer's keys, if it is not the preset's
    #[arg(long, value_name = "URL")]
    keys_url: Option<String>,
    /// The e-mail of a caller that is accepted (may be repeated)
    #[arg(long)]
    email: Vec<String>,
    /// The sub of a caller that is accepted (may be repeated); with --email a caller must be on both lists
    #[arg(long)]
    subject: Vec<String>,
    /// Accept any caller: the presets of senders require this option where neither --email nor --subject is given
    #[arg(long, conflicts_with_all = ["email", "subject"])]
    any_caller: bool,
    /// Seconds that clocks may be apart
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_LEEWAY_SECONDS)]
    leeway: u64,
    /// The moment to judge at, in Unix seconds [default: now]
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
}

impl VerifierOptions {
    /// These options and no others: what is left out here is left out there.
    pub(crate) fn config(&self) -> Result<VerifierConfig, Failure> {
        let list = |given: &[String]| (!given.is_empty()).then(|| given.to_vec());
        Ok(VerifierConfig {
            preset: self.preset,
            issuers: self.issuer.clone(),
            algorithms: self.algorithm.clone(),
            audiences: Audiences::parse(self.audience.clone(), self.any_audience).map_err(usage)?,
            keys: self.key_source()?,
            leeway_seconds: self.leeway,
            callers: Callers::parse(list(&self.email), list(&self.subject), self.any_caller)
                .map_err(usage)?,
            ..VerifierConfig::default()
        })
    }

    /// A verifier that judges at the moment of these options.
    pub(crate) fn verifier(&self, config: VerifierConfig) -> Result<Verifier, Failure> {
        let now = self.now;
        let host = Host::with_clock(move || at(now));
        Verifier::on(host, config).map_err(usage)
    }

    /// The moment to judge at.
    pub(crate) fn now(&self) -> Now {
        at(self.now)
    }

    fn key_source(&self) -> Result<KeySource, Failure> {
        Ok(match (&self.keys, &self.keys_url) {
            (Some(file), _) => KeySource::Static(keys_of(file).map_err(|error| {
                let path = gatepass::unread_path(&file.to_string_lossy());
                Failure::usage(format!("--keys {path}: {error}, expected a file with a JWK set or a PEM map"))
            })?),
            (None, Some(url)) => KeySource::Url(url.clone()),
            (None, None) => KeySource::Preset,
        })
    }
}

fn keys_of(file: &Path) -> io::Result<String> {
    const LONGEST: u64 = 1 << 20;
    let mut text = String::new();
    if fs::File::open(file)?.take(LONGEST + 1).read_to_string(&mut text)? as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 1 MiB"));
    }
    Ok(text)
}

fn usage(error: Error) -> Failure {
    Failure::refused_options(&error)
}

fn at(seconds: Option<u64>) -> Now {
    let now = driver::now();
    Now { unix: seconds.map_or(now.unix, Millis::from_secs), ..now }
}

fn preset() -> impl TypedValueParser<Value = Preset> {
    let names = Preset::ALL.iter().map(|preset| preset.as_str());
    PossibleValuesParser::new(names).try_map(|name| Preset::from_name(&name).ok_or("no such preset"))
}

fn algorithm() -> impl TypedValueParser<Value = Algorithm> {
    let names = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str());
    PossibleValuesParser::new(names).try_map(|name| Algorithm::from_name(&name).ok_or("no such algorithm"))
}
