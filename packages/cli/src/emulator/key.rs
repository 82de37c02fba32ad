//! `gatepass emulator key`: credential files that lead to the emulator.

mod place;

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gatepass_emulator::credential_file::{
    self, DEFAULT_PROVIDER, ExternalAccount, Format, Impersonator, Source,
};
use gatepass_emulator::gdch::ServiceIdentity;
use gatepass_emulator::keys::KeyError;
use gatepass_emulator::{ServiceAccount, User, tls};
use serde_json::json;

use self::place::Place;
use super::{ADDRESS_VARIABLE, DEFAULT_PORT, base_url, default_url, subject_token};
use crate::Failure;
use crate::output::print;

/// A listener on this machine is there at once, or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Write a credential file for the emulator: a service account's key, or one of the other types.
///
/// Whatever is in it follows from the options, so the emulator need not run and need not be told. It is for tests, and
/// holds no secret. Files that it names are written next to --out.
#[derive(Args)]
pub(super) struct Options {
    /// The type of the file
    #[arg(long, value_enum, default_value_t = FileType::ServiceAccount)]
    r#type: FileType,
    /// The principal of the tokens: a person for the user types, a service account for all others
    #[arg(long, required_unless_present_any = ["no_impersonation", "name"])]
    email: Option<String>,
    /// Where the emulator runs
    #[arg(long, value_name = "URL", env = ADDRESS_VARIABLE, default_value_t = default_url(), value_parser = base_url)]
    emulator: String,
    /// Where the emulator serves TLS, for gdch_service_account and the source `certificate`
    #[arg(long, value_name = "URL", value_parser = base_url)]
    mtls: Option<String>,
    /// The file to write, for its owner only [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,

    /// The credentials that impersonate, for impersonated_service_account [default: those of --person]
    #[arg(long, value_enum, value_name = "TYPE", conflicts_with = "person", help_heading = "Impersonation")]
    source_credentials: Option<SourceCredentials>,
    /// The person who impersonates, for impersonated_service_account
    #[arg(long, value_name = "EMAIL", help_heading = "Impersonation")]
    person: Option<User>,
    /// A service account on the way to the one impersonated, for impersonated_service_account (may be repeated)
    #[arg(long, value_name = "EMAIL", help_heading = "Impersonation")]
    delegate: Vec<ServiceAccount>,

    /// Where the subject token comes from, for external_account
    #[arg(long, value_enum, required_if_eq("type", "external_account"), help_heading = "Federation")]
    source: Option<SourceKind>,
    /// The file of the source `file`, which you write [default: one next to --out, written with a token in it]
    #[arg(long, help_heading = "Federation")]
    file: Option<String>,
    /// How the subject token is written in the file of the source `file` [default: text]
    #[arg(long, value_enum, help_heading = "Federation")]
    format: Option<FileFormat>,
    /// The program of the source `executable` [default: this program, with `emulator subject-token`]
    #[arg(long, help_heading = "Federation")]
    command: Option<String>,
    /// Let the program of the source `executable` leave its answer in a file next to --out, for the next time
    #[arg(long, requires = "out", help_heading = "Federation")]
    output_file: bool,
    /// The certificate configuration of the source `certificate` [default: one next to --out, written with a certificate,
    /// its key and its trust chain; without --out that at the default location]
    #[arg(long, value_name = "FILE", help_heading = "Federation")]
    certificate_config: Option<String>,
    /// The name of the function of the source `supplier` [default: emulator]
    #[arg(long, value_name = "NAME", help_heading = "Federation")]
    supplier: Option<String>,
    /// The provider of an identity pool
    #[arg(long, value_name = "PROVIDER", help_heading = "Federation")]
    audience: Option<String>,
    /// Leave the federated identity without a service account: it gets access tokens, and no ID tokens
    #[arg(long, conflicts_with = "email", help_heading = "Federation")]
    no_impersonation: bool,
    /// The project that pays for a person of a workforce pool
    #[arg(long, value_name = "PROJECT", help_heading = "Federation")]
    workforce_pool_user_project: Option<String>,

    /// The name of a service identity, for gdch_service_account
    #[arg(
        long,
        required_if_eq("type", "gdch_service_account"),
        conflicts_with_all = ["email", "no_impersonation"],
        help_heading = "Distributed Cloud"
    )]
    name: Option<String>,
    /// The project of a service identity [default: emulator]
    #[arg(long, help_heading = "Distributed Cloud")]
    project: Option<String>,
}

/// The types of credential files, by the names in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum FileType {
    ServiceAccount,
    AuthorizedUser,
    ImpersonatedServiceAccount,
    ExternalAccount,
    ExternalAccountAuthorizedUser,
    GdchServiceAccount,
}

/// What may impersonate, by the names of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SourceCredentials {
    /// A person
    AuthorizedUser,
    /// The default service account, by its key
    ServiceAccount,
    /// A federated identity, by a token from the emulator's own URL
    ExternalAccount,
    /// The default service account, which a person impersonates
    ImpersonatedServiceAccount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SourceKind {
    /// A file
    File,
    /// The emulator's own /emulator/v1/subject-token
    Url,
    /// A program; runs only where GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
    Executable,
    /// The emulator's look-alike of an AWS instance
    Aws,
    /// AWS keys from the environment, or from the agent that AWS_CONTAINER_CREDENTIALS_FULL_URI names, such as the
    /// emulator's /v1/credentials or /v2/credentials/task
    AwsContainer,
    /// AWS keys of a role, from the emulator's look-alike of AWS's STS; writes the token for it beside --out, which
    /// AWS_WEB_IDENTITY_TOKEN_FILE then names
    AwsWebIdentity,
    /// The emulator's look-alike of Azure Container Apps
    AzureApp,
    /// An X.509 certificate; needs --mtls
    Certificate,
    /// A function of the program that uses the file; only gatepass knows this source
    Supplier,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    /// The token and nothing else
    Text,
    /// The member `access_token` of a JSON object
    Json,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.refuse_options_of_other_types()?;
        if let Some(place) = self.place() {
            place.check()?;
        }
        let file = self.content()?;
        match self.place() {
            Some(place) => place.write(&file)?,
            None => print(&file)?,
        }
        self.say_if_nothing_listens();
        Ok(())
    }

    /// Where nobody named an emulator and none has the default port, it probably has another.
    fn say_if_nothing_listens(&self) {
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        if self.emulator == default_url() && TcpStream::connect_timeout(&default, CONNECT_TIMEOUT).is_err() {
            eprintln!(
                "gatepass: the credentials lead to {}, where nothing listens now; if the emulator has another address, \
                 name it with --emulator or {ADDRESS_VARIABLE}",
                self.emulator
            );
        }
    }

    fn content(&self) -> Result<String, Failure> {
        let emulator = self.emulator.as_str();
        match self.r#type {
            FileType::ServiceAccount => self.service_account()?.key_file(emulator).map_err(unusable_key),
            FileType::AuthorizedUser => Ok(credential_file::authorized_user(&self.user()?, emulator)),
            FileType::ExternalAccountAuthorizedUser => {
                Ok(credential_file::external_account_authorized_user(&self.user()?, emulator))
            }
            FileType::ImpersonatedServiceAccount => credential_file::impersonated_service_account(
                &self.service_account()?,
                &self.delegate,
                &self.impersonator(),
                emulator,
            )
            .map_err(unusable_key),
            FileType::ExternalAccount => self.external_account(),
            FileType::GdchServiceAccount => self.gdch_service_account(),
        }
    }

    fn impersonator(&self) -> Impersonator {
        let person = self.person.clone().unwrap_or_default();
        match self.source_credentials.unwrap_or(SourceCredentials::AuthorizedUser) {
            SourceCredentials::AuthorizedUser => Impersonator::Person(person),
            SourceCredentials::ServiceAccount => Impersonator::ServiceAccount(ServiceAccount::default()),
            SourceCredentials::ExternalAccount => Impersonator::Workload,
            SourceCredentials::ImpersonatedServiceAccount => {
                Impersonator::Impersonated(ServiceAccount::default(), person)
            }
        }
    }

    fn external_account(&self) -> Result<String, Failure> {
        // Only over TLS does a client present a certificate.
        let is_certificate = self.source == Some(SourceKind::Certificate);
        let url = if is_certificate { self.tls_url()? } else { &self.emulator };
        let account = ExternalAccount {
            audience: self.audience.clone().unwrap_or_else(|| DEFAULT_PROVIDER.to_owned()),
            source: self.subject_token_source()?,
            target: if self.no_impersonation { None } else { Some(self.service_account()?) },
            workforce_pool_user_project: self.workforce_pool_user_project.clone(),
        };
        Ok(account.file(url))
    }

    fn gdch_service_account(&self) -> Result<String, Failure> {
        let identity = ServiceIdentity {
            project: self.project.clone().unwrap_or_else(|| "emulator".to_owned()),
            name: self.name.clone().unwrap_or_default(),
        };
        let place = self.place().ok_or_else(|| {
            Failure::usage(
                "the authority's certificate is written next to the credential file; name that with --out",
            )
        })?;
        let url = self.tls_url()?;
        let authority = tls::authority_pem().map_err(unusable_key)?;
        let ca_path = place.write_beside("ca.pem", &authority)?;
        credential_file::gdch_service_account(&identity, url, &ca_path).map_err(unusable_key)
    }

    fn tls_url(&self) -> Result<&str, Failure> {
        self.mtls.as_deref().ok_or_else(|| {
            Failure::usage(
                "--mtls is missing; give the URL that `gatepass emulator --mtls-port` prints behind `# mTLS on`",
            )
        })
    }

    fn place(&self) -> Option<Place<'_>> {
        self.out.as_deref().map(Place::new)
    }

    /// An option that changes nothing is a mistake that somebody should hear of.
    fn refuse_options_of_other_types(&self) -> Result<(), Failure> {
        use {FileType as Type, SourceKind as Kind};
        let is = |file_type| self.r#type == file_type;
        let from = |kind| self.source == Some(kind);
        for (given, option, fits, place) in [
            (
                self.person.is_some(),
                "--person",
                is(Type::ImpersonatedServiceAccount),
                "--type impersonated_service_account",
            ),
            (
                !self.delegate.is_empty(),
                "--delegate",
                is(Type::ImpersonatedServiceAccount),
                "--type impersonated_service_account",
            ),
            (
                self.source_credentials.is_some(),
                "--source-credentials",
                is(Type::ImpersonatedServiceAccount),
                "--type impersonated_service_account",
            ),
            (self.source.is_some(), "--source", is(Type::ExternalAccount), "--type external_account"),
            (self.audience.is_some(), "--audience", is(Type::ExternalAccount), "--type external_account"),
            (
                self.no_impersonation,
                "--no-impersonation",
                is(Type::ExternalAccount),
                "--type external_account",
            ),
            (
                self.workforce_pool_user_project.is_some(),
                "--workforce-pool-user-project",
                is(Type::ExternalAccount),
                "--type external_account",
            ),
            (self.name.is_some(), "--name", is(Type::GdchServiceAccount), "--type gdch_service_account"),
            (
                self.project.is_some(),
                "--project",
                is(Type::GdchServiceAccount),
                "--type gdch_service_account",
            ),
            (self.file.is_some(), "--file", from(Kind::File), "--source file"),
            (self.format.is_some(), "--format", from(Kind::File), "--source file"),
            (self.output_file, "--output-file", from(Kind::Executable), "--source executable"),
            (self.supplier.is_some(), "--supplier", from(Kind::Supplier), "--source supplier"),
            (self.command.is_some(), "--command", from(Kind::Executable), "--source executable"),
            (
                self.certificate_config.is_some(),
                "--certificate-config",
                from(Kind::Certificate),
                "--source certificate",
            ),
        ] {
            if given && !fits {
                return Err(Failure::usage(format!("{option} has no meaning here; it goes with {place}")));
            }
        }
        Ok(())
    }

    fn service_account(&self) -> Result<ServiceAccount, Failure> {
        let email = self.email.as_deref().unwrap_or_default();
        email.parse().map_err(|error| Failure::usage(format!("--email is {email:?}: {error}")))
    }

    fn user(&self) -> Result<User, Failure> {
        let email = self.email.as_deref().unwrap_or_default();
        email.parse().map_err(|error| Failure::usage(format!("--email is {email:?}: {error}")))
    }

    fn subject_token_source(&self) -> Result<Source, Failure> {
        // clap has made sure of the source.
        Ok(match self.source.unwrap_or(SourceKind::Url) {
            SourceKind::File => self.file_source()?,
            SourceKind::Url => Source::Url,
            SourceKind::Executable => Source::Executable {
                command: match &self.command {
                    Some(command) => command.clone(),
                    None => self.own_command()?,
                },
                output_file: match self.place() {
                    Some(place) if self.output_file => Some(place.beside("output.json")?),
                    _ => None,
                },
            },
            SourceKind::Aws => Source::Aws,
            SourceKind::AwsContainer => Source::AwsContainer,
            SourceKind::AwsWebIdentity => self.aws_web_identity_source()?,
            SourceKind::AzureApp => Source::AzureApp,
            SourceKind::Certificate => self.certificate_source()?,
            SourceKind::Supplier => {
                Source::Supplier { name: self.supplier.clone().unwrap_or_else(|| "emulator".to_owned()) }
            }
        })
    }

    fn file_source(&self) -> Result<Source, Failure> {
        let format = match self.format {
            Some(FileFormat::Json) => Format::Json,
            Some(FileFormat::Text) | None => Format::Text,
        };
        let path = match (&self.file, self.place()) {
            (Some(path), _) => path.clone(),
            (None, Some(place)) => {
                let token = subject_token::in_format(format, &self.emulator)?;
                place.write_beside("subject-token", &token)?
            }
            (None, None) => {
                let reason = "the source `file` needs --file, or --out, next to which the file is written";
                return Err(Failure::usage(reason));
            }
        };
        Ok(Source::File { path, format })
    }

    /// To the credential file it is all the same where AWS's keys come from.
    fn aws_web_identity_source(&self) -> Result<Source, Failure> {
        let place = self.place().ok_or_else(|| {
            Failure::usage("the source `aws-web-identity` needs --out, beside which its token is written")
        })?;
        place.write_beside("web-identity-token", &subject_token::in_format(Format::Text, &self.emulator)?)?;
        Ok(Source::AwsContainer)
    }

    fn certificate_source(&self) -> Result<Source, Failure> {
        let Some(place) = self.place().filter(|_| self.certificate_config.is_none()) else {
            return Ok(Source::Certificate { config: self.certificate_config.clone(), trust_chain: None });
        };
        let workload = tls::workload().map_err(unusable_key)?;
        let cert_path = place.write_beside("client-certificate.pem", &workload.certificate_pem)?;
        let key_path = place.write_beside("client-key.pem", &workload.private_key_pem)?;
        let authority = tls::authority_pem().map_err(unusable_key)?;
        let config = json!({
            "version": 1,
            "cert_configs": { "workload": { "cert_path": cert_path, "key_path": key_path } },
        });
        Ok(Source::Certificate {
            config: Some(place.write_beside("certificate_config.json", &format!("{config:#}\n"))?),
            trust_chain: Some(place.write_beside("trust-chain.pem", &authority)?),
        })
    }

    /// A command is split at white space, without a shell that could quote it.
    fn own_command(&self) -> Result<String, Failure> {
        let program = env::current_exe().ok().and_then(|path| path.into_os_string().into_string().ok());
        let program = program.filter(|path| !path.contains(char::is_whitespace)).ok_or_else(|| {
            Failure::runtime(
                "the path of this program cannot be part of a command, which is split at white space; name a program \
                 with --command",
            )
        })?;
        Ok(format!("{program} emulator subject-token --format executable --emulator {}", self.emulator))
    }
}

fn unusable_key(error: KeyError) -> Failure {
    Failure::runtime(error.to_string())
}
