//! `{"file": …}`: a file that somebody keeps fresh; read anew for every exchange.

use crate::credentials::TrustedEndpoints;
use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::failed;
use crate::credentials::subject_token::format::Format;
use crate::error::Error;
use crate::exchange::unreadable;
use crate::quote;
use crate::secret::Secret;
use crate::step::{Now, Operation, Reply, Step};

#[derive(Clone)]
pub(crate) struct Source {
    path: String,
    format: Format,
}

impl Source {
    pub(crate) fn from_fields(fields: Fields<'_>) -> Result<Self, Error> {
        let path = fields.path("file")?.to_owned();
        if !TrustedEndpoints::allows_file(&path) {
            return Err(invalid(
                "file",
                "a file of the operating system",
                "a file that holds a subject token",
            ));
        }
        Ok(Self { path, format: Format::from_fields(fields)? })
    }
}

pub(crate) struct Read {
    source: Source,
}

impl Read {
    pub(crate) fn new(source: Source) -> Self {
        Self { source }
    }
}

impl Operation for Read {
    type Output = Secret<String>;

    fn resume(&mut self, _now: Now, reply: Reply) -> Step<Secret<String>> {
        let Source { path, format } = &self.source;
        match reply {
            Reply::Start => Step::read_file(path.clone()),
            Reply::Text(text) => {
                format.read(text.expose(), &format!("the subject token file {}", quote::path(path))).into()
            }
            Reply::Failed { kind, message } => {
                let found = format!(
                    "the subject token file {} {}",
                    quote::unread_path(path),
                    unreadable(kind, &message, path)
                );
                Step::Fail(failed(found))
            }
            other => Step::misuse("Text or Failed", &other),
        }
    }
}
