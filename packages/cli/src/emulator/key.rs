//! `gatepass emulator key`: credential files that lead to the emulator.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use gatepass_emulator::credential_file::{self, DEFAULT_PROVIDER, ExternalAccount, Source};
use gatepass_emulator::{ServiceAccount, User};

use super::{base_url, default_url, print};
use crate::Failure;

/// The member by which a key file of the emulator is told from a real one.
const KEY_FILE_MARK: &str = "gatepass_emulator";

/// Write a credential file for the emulator: a service account's key, or one of the other types.
///
/// Whatever is in it follows from the options, so the emulator need not run and need not be told. It is for tests, and
/// holds no secret.
#[derive(Args)]
pub(super) struct Options {
    /// The type of the file
    #[arg(long, value_enum, default_value_t = FileType::ServiceAccount)]
    r#type: FileType,
    /// Who the tokens speak for: a person for the user types, a service account for all others
    #[arg(long, required_unless_present = "no_impersonation")]
    email: Option<String>,
    /// Where the emulator runs
    #[arg(long, default_value_t = default_url(), value_parser = base_url)]
    emulator: String,
    /// The file to write, for its owner only [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,

    /// The person who impersonates, for impersonated_service_account
    #[arg(long, value_name = "EMAIL", help_heading = "Impersonation")]
    person: Option<User>,
    /// A service account on the way to the one impersonated, for impersonated_service_account (may be repeated)
    #[arg(long, value_name = "EMAIL", help_heading = "Impersonation")]
    delegate: Vec<ServiceAccount>,

    /// Where the subject token comes from, for external_account
    #[arg(long, value_enum, required_if_eq("type", "external_account"), help_heading = "Federation")]
    source: Option<SourceKind>,
    /// The file of the source `file`, which holds the subject token
    #[arg(long, required_if_eq("source", "file"), help_heading = "Federation")]
    file: Option<String>,
    /// The program of the source `executable` [default: this program, with `emulator subject-token`]
    #[arg(long, help_heading = "Federation")]
    command: Option<String>,
    /// The certificate configuration of the source `certificate` [default: the file at its default location]
    #[arg(long, value_name = "FILE", help_heading = "Federation")]
    certificate_config: Option<String>,
    /// The provider of an identity pool
    #[arg(long, value_name = "PROVIDER", help_heading = "Federation")]
    audience: Option<String>,
    /// Leave the federated identity without a service account: it gets access tokens, and no ID tokens
    #[arg(long, conflicts_with = "email", help_heading = "Federation")]
    no_impersonation: bool,
}

/// The types of credential files, by the names that stand in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum FileType {
    ServiceAccount,
    AuthorizedUser,
    ImpersonatedServiceAccount,
    ExternalAccount,
    ExternalAccountAuthorizedUser,
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
    /// An X.509 certificate; the emulator does not speak mTLS
    Certificate,
}

impl Options {
    pub(super) fn run(self) -> Result<(), Failure> {
        self.refuse_options_of_other_types()?;
        let file = self.content()?;
        match self.out {
            Some(path) => write_key_file(&path, &file),
            None => print(&file),
        }
    }

    fn content(&self) -> Result<String, Failure> {
        let emulator = self.emulator.as_str();
        match self.r#type {
            FileType::ServiceAccount => self
                .service_account()?
                .key_file(emulator)
                .map_err(|error| Failure::runtime(error.to_string())),
            FileType::AuthorizedUser => Ok(credential_file::authorized_user(&self.user()?, emulator)),
            FileType::ExternalAccountAuthorizedUser => {
                Ok(credential_file::external_account_authorized_user(&self.user()?, emulator))
            }
            FileType::ImpersonatedServiceAccount => {
                let person = self.person.clone().unwrap_or_default();
                let target = self.service_account()?;
                Ok(credential_file::impersonated_service_account(&target, &self.delegate, &person, emulator))
            }
            FileType::ExternalAccount => {
                let target = if self.no_impersonation { None } else { Some(self.service_account()?) };
                let audience = self.audience.clone().unwrap_or_else(|| DEFAULT_PROVIDER.to_owned());
                Ok(ExternalAccount { audience, source: self.subject_token_source()?, target }.file(emulator))
            }
        }
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
            (self.source.is_some(), "--source", is(Type::ExternalAccount), "--type external_account"),
            (self.audience.is_some(), "--audience", is(Type::ExternalAccount), "--type external_account"),
            (
                self.no_impersonation,
                "--no-impersonation",
                is(Type::ExternalAccount),
                "--type external_account",
            ),
            (self.file.is_some(), "--file", from(Kind::File), "--source file"),
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
        // clap has made sure of the source, and of the file that belongs to it.
        Ok(match self.source.unwrap_or(SourceKind::Url) {
            SourceKind::File => Source::File { path: self.file.clone().unwrap_or_default() },
            SourceKind::Url => Source::Url,
            SourceKind::Executable => Source::Executable {
                command: match &self.command {
                    Some(command) => command.clone(),
                    None => self.own_command()?,
                },
            },
            SourceKind::Aws => Source::Aws,
            SourceKind::Certificate => Source::Certificate { config: self.certificate_config.clone() },
        })
    }

    /// A command is split at white space, without a shell that could quote it.
    fn own_command(&self) -> Result<String, Failure> {
        let program = env::current_exe().ok().and_then(|path| path.into_os_string().into_string().ok());
        let program = program.filter(|path| !path.contains(char::is_whitespace)).ok_or_else(|| {
            Failure::runtime(
                "the path of this program cannot stand in a command, which is split at white space; name a program \
                 with --command",
            )
        })?;
        Ok(format!("{program} emulator subject-token --format executable --emulator {}", self.emulator))
    }
}

fn write_key_file(path: &Path, file: &str) -> Result<(), Failure> {
    let shown = path.display();
    if path.exists() && !is_key_file_of_emulator(path) {
        return Err(Failure::runtime(format!(
            "{shown} exists and is not a key file of the emulator, so it stays as it is; remove it, or choose another \
             --out"
        )));
    }
    write_for_owner(path, file.as_bytes()).map_err(|error| {
        Failure::runtime(format!(
            "cannot write {shown}: {error}; choose a file that can be written with --out"
        ))
    })
}

fn is_key_file_of_emulator(path: &Path) -> bool {
    let content: Option<serde_json::Value> =
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    content.is_some_and(|content| content.get(KEY_FILE_MARK).is_some())
}

/// Writes a file that only its owner may read. This key is no secret, but tools rightly complain about a key file
/// that is open to all.
fn write_for_owner(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // The mode above counts for a new file only.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(content)
}
