//! JSON from outside, read strictly: exactly RFC 8259, no duplicate member names, bounded depth.
//!
//! One function reads it all: [`members`] goes over an object once and keeps only the members that are asked for;
//! the rest is checked and dropped, so an attacker's megabyte builds no tree.

mod tree;

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroize;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Objects and arrays within each other; a Google token has 3.
const MAX_DEPTH: usize = 64;

const TOO_DEEP: &str = "nested too deep";
/// How serde_json begins its complaint about a number that is no finite `f64`.
const NUMBER_RANGE: &str = "number out of range";

/// Why text is not the JSON that was expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum JsonError {
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

/// A JSON value that somebody asked for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Drop for Value {
    /// Any text may be a key or a token.
    fn drop(&mut self) {
        if let Self::String(text) = self {
            text.zeroize();
        }
    }
}

impl Value {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
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
    read(text, Members { names: &names, found: &mut found })?;
    Ok(found)
}

/// Reads any one value whole.
pub(crate) fn value(text: &[u8]) -> Result<Value, JsonError> {
    tree::read(text)
}

fn read<'de, S: DeserializeSeed<'de>>(text: &'de [u8], seed: S) -> Result<S::Value, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut deserializer).map_err(classify)?;
    deserializer.end().map_err(classify)?;
    Ok(value)
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
    } else if error.is_data() && text.starts_with("invalid type") {
        JsonError::NotAnObject
    } else {
        JsonError::Syntax
    }
}

/// The top-level object of [`members`].
struct Members<'n, const N: usize> {
    names: &'n [&'n str; N],
    found: &'n mut [Option<Value>; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Members<'_, N> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            let wanted = self.names.iter().position(|n| *n == name).and_then(|i| self.found.get_mut(i));
            match wanted {
                Some(slot) => *slot = Some(map.next_value_seed(Tree { depth: 1 })?),
                None => map.next_value_seed(Checked { depth: 1 })?,
            }
            seen.add(name);
        }
        seen.unique()
    }
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

/// The names of one object, to refuse a duplicate. Sorting at the end needs no hashing that an attacker could aim at.
#[derive(Default)]
struct Names<'de>(Vec<Cow<'de, str>>);

impl<'de> Names<'de> {
    fn add(&mut self, name: Cow<'de, str>) {
        self.0.push(name);
    }

    fn unique<E: serde::de::Error>(mut self) -> Result<(), E> {
        self.0.sort_unstable();
        let twice = self.0.iter().zip(self.0.iter().skip(1)).any(|(a, b)| a == b);
        if twice { Err(E::custom("duplicate member name")) } else { Ok(()) }
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) => $make:expr),*) => {
        $(fn $method<E: serde::de::Error>(self, value: $type) -> Result<Self::Value, E> { Ok($make(value)) })*
    };
}

/// A value that is kept.
struct Tree {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    scalars! {
        visit_bool(bool) => Value::Bool,
        visit_i64(i64) => |number| Value::Number(number as f64),
        visit_u64(u64) => |number| Value::Number(number as f64),
        visit_f64(f64) => Value::Number,
        visit_str(&str) => |text: &str| Value::String(text.to_owned())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Tree { depth })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let (mut members, mut seen) = (Vec::new(), Names::default());
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name.clone().into_owned(), map.next_value_seed(Tree { depth })?));
            seen.add(name);
        }
        seen.unique()?;
        Ok(Value::Object(members))
    }
}

/// A value that nobody asked for: checked like any other, and dropped.
struct Checked {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    scalars! {
        visit_bool(bool) => |_| (), visit_i64(i64) => |_| (), visit_u64(u64) => |_| (), visit_f64(f64) => |_| (),
        visit_str(&str) => |_| ()
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        while seq.next_element_seed(Checked { depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = deeper(self.depth)?;
        let mut seen = Names::default();
        while let Some(name) = map.next_key_seed(Name)? {
            map.next_value_seed(Checked { depth })?;
            seen.add(name);
        }
        seen.unique()
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
