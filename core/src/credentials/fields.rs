//! The fields of a credential file, with the errors that every type gives alike.

use crate::error::{Error, ErrorCode};
use crate::json::Value;

/// One object of a credential file.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    pub(crate) fn new(object: &'a Value) -> Self {
        Self(object)
    }

    /// A string that must be there and not be empty.
    pub(crate) fn required(self, name: &str) -> Result<&'a str, Error> {
        match self.optional(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(invalid(name, "empty", "a string")),
            None => Err(invalid(name, "missing", "a string")),
        }
    }

    /// A string that may be left out.
    pub(crate) fn optional(self, name: &str) -> Result<Option<&'a str>, Error> {
        match self.0.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(name, other.kind(), "a string")),
        }
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
        match self.0.member(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(*number)),
            Some(other) => Err(invalid(name, other.kind(), "a number")),
        }
    }

    /// A boolean; false when it is left out.
    pub(crate) fn flag(self, name: &str) -> Result<bool, Error> {
        match self.0.member(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(invalid(name, other.kind(), "true or false")),
        }
    }

    /// A list of strings; empty when it is left out.
    pub(crate) fn strings(self, name: &str) -> Result<Vec<String>, Error> {
        let strings = match self.0.member(name) {
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

    /// Whether the field is there, whatever its value.
    pub(crate) fn has(self, name: &str) -> bool {
        self.0.member(name).is_some()
    }
}

/// The error for a field that is not what it should be.
pub(crate) fn invalid(name: &str, found: &str, expected: &str) -> Error {
    Error::new(
        ErrorCode::CredentialsFileInvalid,
        format!("its field {name:?} is {found}, expected {expected}"),
    )
}
