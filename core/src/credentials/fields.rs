//! The fields of a credential file, with the errors that every type gives alike.

use crate::error::{Error, ErrorCode};
use crate::json::Value;
use crate::quote;

/// One object of a credential file.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn new(object: &'a Value) -> Self {
        Self(object)
    }

    /// A string that must be there and not be empty.
    pub(crate) fn required(self, name: &str) -> Result<&'a str, Error> {
        match self.0.member(name) {
            Some(Value::String(text)) if text.is_empty() => Err(invalid(name, "empty", "a string")),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(invalid(name, other.kind(), "a string")),
            None => Err(invalid(name, "missing", "a string")),
        }
    }

    /// A string that may be left out. Programs write `null` or nothing in quotes for that, too: so of every optional field.
    pub(crate) fn optional(self, name: &str) -> Result<Option<&'a str>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(name, other.kind(), "a string")),
        }
    }

    /// A path that must be there.
    pub(crate) fn path(self, name: &str) -> Result<&'a str, Error> {
        checked_path(name, self.required(name)?)
    }

    /// A path that may be left out.
    pub(crate) fn optional_path(self, name: &str) -> Result<Option<&'a str>, Error> {
        self.optional(name)?.map(|path| checked_path(name, path)).transpose()
    }

    /// An object that must be there.
    pub(crate) fn object(self, name: &str) -> Result<Self, Error> {
        match self.0.member(name) {
            Some(object @ Value::Object(_)) => Ok(Self(object)),
            Some(other) => Err(invalid(name, other.kind(), "an object")),
            None => Err(invalid(name, "missing", "an object")),
        }
    }

    /// A number that may be left out.
    pub(crate) fn number(self, name: &str) -> Result<Option<f64>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(*number)),
            Some(other) => Err(invalid(name, other.kind(), "a number")),
        }
    }

    /// A boolean; false when it is left out.
    pub(crate) fn flag(self, name: &str) -> Result<bool, Error> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(invalid(name, other.kind(), "true or false")),
        }
    }

    /// A list of strings; empty when it is left out.
    pub(crate) fn strings(self, name: &str) -> Result<Vec<String>, Error> {
        let strings = match self.value(name) {
            None => Some(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        strings.ok_or_else(|| invalid(name, "something else", "an array of strings"))
    }

    /// The members of the object.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let members = match self.0 {
            Value::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether the field is there and says something.
    pub(crate) fn has(self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Whether the field is written, even if it says nothing: an endpoint that is written wrongly is no reason to take
    /// another.
    pub(crate) fn is_written(self, name: &str) -> bool {
        self.0.member(name).is_some()
    }

    fn value(self, name: &str) -> Option<&'a Value> {
        match self.0.member(name) {
            Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            value => value,
        }
    }
}

/// The error for a field that is not what it should be.
pub(crate) fn invalid(name: &str, found: &str, expected: &str) -> Error {
    Error::new(
        ErrorCode::CredentialsFileInvalid,
        format!("its field {name:?} is {found}, expected {expected}"),
    )
}

fn checked_path<'a>(name: &str, path: &'a str) -> Result<&'a str, Error> {
    if path.chars().any(char::is_control) {
        return Err(invalid(name, "a path with a control character", "a path without one"));
    }
    match quote::no_path(path) {
        Some(found) => Err(invalid(name, found, "a path")),
        None => Ok(path),
    }
}

/// Refuses text that would break the line of a header or of a log that it gets into.
pub(crate) fn printable<'a>(name: &str, text: &'a str) -> Result<&'a str, Error> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text)
    } else {
        Err(invalid(name, "a text with white space or characters beyond ASCII", "one without"))
    }
}
