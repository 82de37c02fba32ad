//! JSON objects from a package, taken apart member by member. What nobody takes is a mistake that is named. Numbers are those of
//! JavaScript: whole ones are exact up to 2⁵³.
//!
//! By hand, because what serde derives for the same takes several times as much code, and a browser downloads it.

use std::mem;

use gatepass_core::json::{self, Value};

/// The members of an object that are not taken yet.
pub(crate) struct Members {
    rest: Vec<(String, Value)>,
    /// Those that were asked for.
    known: Vec<&'static str>,
}

/// Why an object does not fit, without any value of it: that may be a secret which was given by mistake.
#[derive(Debug)]
pub(crate) enum Misfit {
    /// The value of a member, which is named.
    Value(String),
    /// All of it.
    Whole(String),
}

impl Misfit {
    /// What is wrong; `what` names the object, where it is wrong as a whole.
    pub(crate) fn of(&self, what: &str) -> String {
        match self {
            Self::Value(complaint) => complaint.clone(),
            Self::Whole(complaint) => format!("{what} do not fit: {complaint}"),
        }
    }
}

impl Members {
    pub(crate) fn read(text: &str) -> Result<Self, Misfit> {
        match json::value(text.as_bytes()) {
            Ok(value) => Self::of(value).ok_or_else(|| Misfit::Whole("no JSON object".to_owned())),
            Err(_) => Err(Misfit::Whole("not valid JSON".to_owned())),
        }
    }

    fn of(mut value: Value) -> Option<Self> {
        match value {
            Value::Object(ref mut rest) => Some(Self { rest: mem::take(rest), known: Vec::new() }),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Misfit> {
        self.take(name, "a string", text)
    }

    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Misfit> {
        self.take(name, "an array of strings", |value| list(value)?.into_iter().map(text).collect())
    }

    /// The same, empty where it is missing; null is no array.
    pub(crate) fn list(&mut self, name: &'static str) -> Result<Vec<String>, Misfit> {
        self.not_null(name, "an array of strings")?;
        Ok(self.texts(name)?.unwrap_or_default())
    }

    /// An array of arrays of two strings.
    pub(crate) fn pairs(&mut self, name: &'static str) -> Result<Option<Vec<(String, String)>>, Misfit> {
        self.take(name, "an array of pairs of strings", |value| {
            let pair = |value| match <[Value; 2]>::try_from(list(value)?) {
                Ok([first, second]) => Some((text(first)?, text(second)?)),
                Err(_) => None,
            };
            list(value)?.into_iter().map(pair).collect()
        })
    }

    /// An object whose members are strings, as pairs.
    pub(crate) fn named_texts(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Vec<(String, String)>>, Misfit> {
        self.take(name, "an object of strings", |value| {
            Self::of(value)?.rest.into_iter().map(|(name, value)| Some((name, text(value)?))).collect()
        })
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<u64>, Misfit> {
        self.take(name, "a whole number from 0", |value| match value {
            Value::Number(number) if is_whole(number) && (0.0..BEYOND_U64).contains(&number) => {
                Some(number as u64)
            }
            _ => None,
        })
    }

    /// A number that may be negative.
    pub(crate) fn integer(&mut self, name: &'static str) -> Result<Option<i64>, Misfit> {
        self.take(name, "a whole number", |value| match value {
            Value::Number(number) if is_whole(number) && number.abs() < BEYOND_I64 => Some(number as i64),
            _ => None,
        })
    }

    pub(crate) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, Misfit> {
        self.take(name, "true or false", |value| match value {
            Value::Bool(value) => Some(value),
            _ => None,
        })
    }

    /// The same, false where it is missing; null is neither.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Misfit> {
        self.not_null(name, "true or false")?;
        Ok(self.boolean(name)?.unwrap_or_default())
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Option<Self>, Misfit> {
        self.take(name, "an object", Self::of)
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Result<(), Misfit> {
        let Some(name) = self.rest.iter().map(|(name, _)| name).min() else { return Ok(()) };
        // A name, if it could be one.
        let is_name = name.len() <= 40
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let shown = if is_name { name } else { "…" };
        let known = self.known.join("`, `");
        Err(Misfit::Whole(format!("unknown field `{shown}`, expected one of `{known}`")))
    }

    fn not_null(&self, name: &str, expected: &str) -> Result<(), Misfit> {
        match self.rest.iter().find(|(found, _)| found == name) {
            Some((_, Value::Null)) => Err(misfit(name, &Value::Null, expected)),
            _ => Ok(()),
        }
    }

    /// Null is as good as missing.
    fn take<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, Misfit> {
        self.known.push(name);
        let place = self.rest.iter().position(|(found, _)| found == name);
        match place.map(|place| self.rest.swap_remove(place).1) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let complaint = misfit(name, &value, expected);
                read(value).map(Some).ok_or(complaint)
            }
        }
    }
}

fn misfit(name: &str, found: &Value, expected: &str) -> Misfit {
    Misfit::Value(format!("`{name}` does not fit: it is {}, expected {expected}", kind_of(found)))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if !is_whole(*number) => "a number with a fraction",
        Value::Number(number) if number.abs() >= BEYOND_I64 => "a number that is too large",
        Value::Number(number) if *number < 0.0 => "a negative number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A member that must be there.
pub(crate) fn required<T>(name: &str, found: Option<T>) -> Result<T, Misfit> {
    found.ok_or_else(|| Misfit::Whole(format!("missing field `{name}`")))
}

/// 2⁶⁴ and 2⁶³: what is no smaller would become another number.
const BEYOND_U64: f64 = 18_446_744_073_709_551_616.0;
const BEYOND_I64: f64 = 9_223_372_036_854_775_808.0;

fn is_whole(number: f64) -> bool {
    number.trunc() == number
}

fn text(mut value: Value) -> Option<String> {
    match value {
        Value::String(ref mut text) => Some(mem::take(text)),
        _ => None,
    }
}

fn list(mut value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(ref mut values) => Some(mem::take(values)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn members_are_taken_by_kind() {
        let mut members = Members::read(
            r#"{"a":"1","b":["2"],"c":[["3","4"]],"d":{"e":"5"},"f":6,"g":-7,"h":true,"i":{"j":8},"k":null}"#,
        )
        .unwrap();
        assert_eq!(members.text("a").unwrap().as_deref(), Some("1"));
        assert_eq!(members.texts("b").unwrap().unwrap(), ["2"]);
        assert_eq!(members.pairs("c").unwrap().unwrap(), [("3".to_owned(), "4".to_owned())]);
        assert_eq!(members.named_texts("d").unwrap().unwrap(), [("e".to_owned(), "5".to_owned())]);
        assert_eq!(members.number("f").unwrap(), Some(6));
        assert_eq!(members.integer("g").unwrap(), Some(-7));
        assert!(members.flag("h").unwrap());
        assert!(!members.flag("l").unwrap());
        assert!(members.flag("k").is_err() && members.list("k").is_err());
        assert_eq!(members.object("i").unwrap().unwrap().number("j").unwrap(), Some(8));
        assert_eq!(members.text("k").unwrap(), None);
        assert_eq!(members.text("l").unwrap(), None);
        assert!(members.end().is_ok());
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_refused() {
        for number in ["18446744073709551616", "1e300"] {
            let members = || Members::read(&format!(r#"{{"a":{number}}}"#)).unwrap();
            let complaint = members().number("a").unwrap_err().of("they");
            assert_eq!(
                complaint,
                "`a` does not fit: it is a number that is too large, expected a whole number from 0"
            );
            assert!(members().integer("a").is_err());
        }
    }

    #[test]
    fn what_does_not_fit_is_named_without_its_value() {
        let complaint = |text: &str| match Members::read(text) {
            Err(misfit) => misfit.of("they"),
            Ok(mut members) => match members.texts("a").and_then(|_| members.pairs("b")) {
                Err(misfit) => misfit.of("they"),
                Ok(_) => members.end().unwrap_err().of("they"),
            },
        };
        assert_eq!(complaint("[]"), "they do not fit: no JSON object");
        assert_eq!(complaint("{"), "they do not fit: not valid JSON");
        assert_eq!(
            complaint(r#"{"a":["b",1]}"#),
            "`a` does not fit: it is an array, expected an array of strings"
        );
        assert_eq!(
            complaint(r#"{"b":"c"}"#),
            "`b` does not fit: it is a string, expected an array of pairs of strings"
        );
        assert_eq!(
            complaint(r#"{"audiance":1}"#),
            "they do not fit: unknown field `audiance`, expected one of `a`, `b`"
        );
        assert_eq!(
            complaint(r#"{"Not a name":1}"#),
            "they do not fit: unknown field `…`, expected one of `a`, `b`"
        );
        let missing = required::<()>("seed", None).unwrap_err();
        assert_eq!(missing.of("they"), "they do not fit: missing field `seed`");
    }
}
