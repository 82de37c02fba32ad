//! `format`: plain text, or a member of a JSON object.

use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::failed;
use crate::error::Error;
use crate::json;
use crate::quote;
use crate::secret::Secret;

/// How a source writes its subject token.
#[derive(Clone)]
pub(crate) enum Format {
    Text,
    Json { field: String },
}

impl Format {
    /// Reads the `format` of a source; plain text when there is none.
    pub(crate) fn from_fields(source: Fields<'_>) -> Result<Self, Error> {
        if !source.has("format") {
            return Ok(Self::Text);
        }
        let format = source.object("format")?;
        match format.optional("type")? {
            None | Some("text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json { field: format.required("subject_token_field_name")?.to_owned() }),
            Some(_) => Err(invalid("format", "of another type", "text or json")),
        }
    }

    /// The subject token in what `who` gave. White space around it is not part of it.
    pub(crate) fn read(&self, content: &str, who: &str) -> Result<Secret<String>, Error> {
        let token = match self {
            Self::Text => content.trim_ascii().to_owned(),
            Self::Json { field } => {
                let [token] = json::members(content.as_bytes(), [field.as_str()])
                    .map_err(|error| failed(format!("{who} holds {error}, expected a JSON object")))?;
                let token = token.as_ref().and_then(json::Value::as_str);
                token
                    .ok_or_else(|| failed(format!("{who} has no string {}", quote::quoted(field))))?
                    .trim_ascii()
                    .to_owned()
            }
        };
        if token.is_empty() { Err(failed(format!("{who} is empty"))) } else { Ok(Secret::new(token)) }
    }
}
