//! JSON, read strictly and written: exactly RFC 8259, no duplicate member names, bounded depth.
//!
//! `members` goes over an object once and keeps only the members that are asked for; the rest is checked and dropped, so an
//! attacker's megabyte builds no tree. [`value`] reads a document whole, and `secret` one that holds keys. [`object`] and
//! its like write.

mod secret;
mod writer;

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroize;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

pub use writer::{Object, list, object, text, texts};

/// Objects and arrays within each other; a Google token has 3.
const MAX_DEPTH: usize = 64;

/// So many names are compared each with each, which takes less time than to sort them.
const FEW: usize = 16;

const TOO_DEEP: &str = "nested too deep";
const NOT_AN_OBJECT: &str = "not an object";
/// How serde_json begins its complaint about a number that is no finite `f64`.
const NUMBER_RANGE: &str = "number out of range";

/// Why text is not the JSON that was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonError {
    /// Not UTF-8, not JSON, a duplicate name, or more than one document.
    Syntax,
    /// Breaks off in the middle.
    Truncated,
    /// JSON, but not an object.
    NotAnObject,
    /// Deeper than 64 levels.
    TooDeep,
    /// A number that no `f64` can hold.
    NumberRange,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not valid JSON (or it has a duplicate member name)",
            Self::Truncated => "truncated JSON",
            Self::NotAnObject => "JSON, but not an object",
            Self::TooDeep => "JSON nested deeper than 64 levels",
            Self::NumberRange => "JSON with a number out of range",
        })
    }
}

/// A JSON value. Its strings are overwritten when it is dropped: any of them may be a key or a token.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as near as an `f64` comes to it.
    Number(f64),
    /// A string without its escapes.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// The members of an object, in their order; no name occurs twice.
    Object(Vec<(String, Value)>),
}

impl Drop for Value {
    fn drop(&mut self) {
        if let Self::String(text) = self {
            text.zeroize();
        }
    }
}

impl Value {
    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The member of this name, if it is an object that has one.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The kind of value, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads one object and returns its members of these names, in their order.
pub(crate) fn members<const N: usize>(
    text: &[u8],
    names: [&str; N],
) -> Result<[Option<Value>; N], JsonError> {
    let mut found = [const { None }; N];
    read(text, Seed::Members(&names, &mut found))?;
    Ok(found)
}

/// Reads any one value whole.
///
/// # Errors
/// Why the text is not exactly one JSON document.
pub fn value(text: &[u8]) -> Result<Value, JsonError> {
    read(text, Seed::Value { depth: 0, is_kept: true })
}

/// The same, leaving no copies of any string behind.
pub(crate) fn secret(text: &[u8]) -> Result<Value, JsonError> {
    secret::read(text)
}

fn read(text: &[u8], seed: Seed<'_>) -> Result<Value, JsonError> {
    // Checked at once, which is faster than string by string.
    let mut deserializer = serde_json::Deserializer::from_str(utf8(text)?);
    let value = seed.deserialize(&mut deserializer).map_err(classify)?;
    deserializer.end().map_err(classify)?;
    Ok(value)
}

fn utf8(text: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(text).map_err(|error| match error.error_len() {
        None => JsonError::Truncated,
        Some(_) => JsonError::Syntax,
    })
}

fn classify(error: serde_json::Error) -> JsonError {
    if error.is_eof() {
        return JsonError::Truncated;
    }
    // serde_json has no other way to tell its reasons apart.
    let text = error.to_string();
    if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
        JsonError::TooDeep
    } else if text.starts_with(NUMBER_RANGE) {
        JsonError::NumberRange
    } else if text.starts_with(NOT_AN_OBJECT) {
        JsonError::NotAnObject
    } else {
        JsonError::Syntax
    }
}

/// What is read next. One type for all that a document holds, so that there is one reader of it in a program.
enum Seed<'s> {
    /// A value within so many others. One that is not kept is checked like any other, and null, or empty.
    Value { depth: usize, is_kept: bool },
    /// The top-level object of [`members`]: the names that are asked for, and what is found.
    Members(&'s [&'s str], &'s mut [Option<Value>]),
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_> {
    /// A value that is no object, where it may be one.
    fn other<E: serde::de::Error>(self, value: Value) -> Result<Value, E> {
        match self {
            Self::Value { is_kept: true, .. } => Ok(value),
            Self::Value { .. } => Ok(Value::Null),
            Self::Members(..) => Err(E::custom(NOT_AN_OBJECT)),
        }
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) => $make:expr),*) => {
        $(fn $method<E: serde::de::Error>(self, value: $type) -> Result<Value, E> { self.other($make(value)) })*
    };
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    scalars! {
        visit_bool(bool) => Value::Bool,
        visit_i64(i64) => |number| Value::Number(number as f64),
        visit_u64(u64) => |number| Value::Number(number as f64),
        visit_f64(f64) => Value::Number
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        match self {
            Self::Value { is_kept: false, .. } => Ok(Value::Null),
            seed => seed.other(Value::String(text.to_owned())),
        }
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        self.other(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let Self::Value { depth, is_kept } = self else { return self.other(Value::Null) };
        let (depth, mut items) = (deeper(depth)?, Vec::new());
        while let Some(item) = seq.next_element_seed(Seed::Value { depth, is_kept })? {
            if is_kept {
                items.push(item);
            }
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let (mut members, mut names) = (Vec::new(), Vec::with_capacity(FEW));
        let depth = match self {
            Self::Value { depth, .. } => deeper(depth)?,
            Self::Members(..) => 1,
        };
        while let Some(name) = map.next_key_seed(Name)? {
            match &mut self {
                Self::Value { is_kept, .. } => {
                    let value = map.next_value_seed(Seed::Value { depth, is_kept: *is_kept })?;
                    if *is_kept {
                        members.push((name.clone().into_owned(), value));
                    }
                }
                Self::Members(wanted, found) => {
                    let slot = wanted.iter().position(|n| *n == name).and_then(|i| found.get_mut(i));
                    let value = map.next_value_seed(Seed::Value { depth, is_kept: slot.is_some() })?;
                    if let Some(slot) = slot {
                        *slot = Some(value);
                    }
                }
            }
            names.push(name);
        }
        if is_any_repeated(names) {
            Err(serde::de::Error::custom("duplicate member name"))
        } else {
            Ok(Value::Object(members))
        }
    }
}

/// Whether a name is there twice.
fn is_any_repeated(mut names: Vec<Cow<'_, str>>) -> bool {
    if names.len() <= FEW {
        return names.iter().enumerate().any(|(i, name)| names.iter().skip(i + 1).any(|other| other == name));
    }
    // Sorting needs no hashing that an attacker could aim at.
    names.sort_unstable();
    names.iter().zip(names.iter().skip(1)).any(|(a, b)| a == b)
}

/// A member name, borrowed when it holds no escape.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

fn deeper<E: serde::de::Error>(depth: usize) -> Result<usize, E> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(E::custom(TOO_DEEP)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keeps_what_is_asked_for() {
        let [a, missing, c] =
            members(br#"{"a":1,"b":[{"x":null}],"c":["d",true]}"#, ["a", "z", "c"]).unwrap();
        assert_eq!(a, Some(Value::Number(1.0)));
        assert_eq!(missing, None);
        assert_eq!(c, Some(Value::Array(vec![Value::String("d".into()), Value::Bool(true)])));
    }

    #[test]
    fn a_repeated_name_is_found_among_few_and_among_many() {
        for count in [2, FEW - 1, FEW, FEW + 1, 10 * FEW] {
            let object = |last: &str| {
                let names: Vec<_> = (1..count).map(|i| format!(r#""{i}":0"#)).collect();
                format!(r#"{{{},"{last}":0}}"#, names.join(","))
            };
            assert!(value(object("0").as_bytes()).is_ok(), "{count}");
            for repeated in [1, count / 2, count - 1] {
                let text = object(&repeated.to_string());
                assert_eq!(value(text.as_bytes()), Err(JsonError::Syntax), "{repeated} of {count}");
            }
        }
    }

    #[test]
    fn strictness() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let cases: &[(&[u8], JsonError)] = &[
            (b"", JsonError::Truncated),
            (br#"{"a":1"#, JsonError::Truncated),
            (b"[]", JsonError::NotAnObject),
            (b"null", JsonError::NotAnObject),
            (br#"{"a":1,"a":1}"#, JsonError::Syntax),
            (br#"{"a":1,"\u0061":1}"#, JsonError::Syntax),
            (br#"{"b":{"x":1,"x":2}}"#, JsonError::Syntax),
            (br#"{"a":[{"x":1,"x":2}]}"#, JsonError::Syntax),
            (br#"{"a":1}{}"#, JsonError::Syntax),
            (br#"{"a":NaN}"#, JsonError::Syntax),
            (br#"{"a":"\ud800"}"#, JsonError::Syntax),
            (b"{\"a\":\"\xff\"}", JsonError::Syntax),
            (b"\xef\xbb\xbf{}", JsonError::Syntax),
            (br#"{"a":1e400}"#, JsonError::NumberRange),
            (deep.as_bytes(), JsonError::TooDeep),
        ];
        for (text, expected) in cases {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(members(text, ["a"]), Err(*expected), "{shown}");
        }
    }

    #[test]
    fn a_value_is_named_by_its_kind() {
        for (text, kind) in [
            ("null", "null"),
            ("true", "a boolean"),
            ("1", "a number"),
            ("\"\"", "a string"),
            ("[]", "an array"),
            ("{}", "an object"),
        ] {
            assert_eq!(value(text.as_bytes()).unwrap().kind(), kind);
        }
    }
}
