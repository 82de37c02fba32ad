//! Key sets: JWK sets (RFC 7517, section 5) and Google's maps from key id to PEM.

use std::sync::Arc;

use crate::error::{Error, ErrorCode, Reason};
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;
use crate::jose::x509;
use crate::json::{self, Value};
use crate::step::Millis;

/// Largest key set that is read.
pub(crate) const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// What an entry of a set says: a key, or why it cannot be used.
type Entry = Result<Arc<Jwk>, &'static str>;

/// The keys of an issuer, by key id. Entries that cannot be used are kept with the reason, and never fatal.
#[derive(Debug, Default, PartialEq)]
pub struct KeySet {
    /// In the order of the document, which may name one more than once. Issuers have a few each.
    keys: Vec<(String, Entry)>,
    /// Keys without an id, for tokens without one.
    anonymous: Vec<Entry>,
    /// All that the issuer says it signs with, if it says so.
    algorithms: Option<Vec<Algorithm>>,
    /// Why the document holds no keys at all, if it is no key set.
    problem: Option<String>,
}

impl KeySet {
    /// Reads a JWK set `{"keys":[…]}` or a PEM map `{"kid":"-----BEGIN …"}`.
    ///
    /// A document that is JSON but no key set gives an empty set that says so when a key is looked for.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] when it is not strict JSON, or larger than 256 KiB.
    pub fn parse(document: &str) -> Result<Self, Error> {
        Ok(Self::from_value(&read(document)?))
    }

    /// Reads what a program gives as the keys of an issuer of its own: a set as [`parse`](Self::parse) reads it, or one JWK
    /// alone.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse).
    pub(crate) fn given(document: &str) -> Result<Self, Error> {
        let document = read(document)?;
        let mut set = Self::default();
        if is_jwk(&document) {
            set.add(&document);
            Ok(set)
        } else {
            Ok(Self::from_value(&document))
        }
    }

    fn from_value(document: &Value) -> Self {
        let mut set = Self::default();
        match (document, document.member("keys")) {
            (_, Some(Value::Array(entries))) => entries.iter().for_each(|entry| set.add(entry)),
            (Value::Object(entries), None) if !entries.is_empty() && !is_jwk(document) => {
                for (kid, pem) in entries {
                    if let Value::String(pem) = pem {
                        set.keys.push((kid.clone(), x509::key_from_pem(pem).map(Arc::new)));
                    }
                }
            }
            _ => {}
        }
        if set.keys.is_empty() && set.anonymous.is_empty() {
            set.problem = Some(match document {
                _ if is_jwk(document) => {
                    "the key set is a single JWK, expected it in a set: {\"keys\":[…]}".into()
                }
                Value::Object(_) => {
                    "the key set names no key: expected {\"keys\":[{\"kid\":…}]} or a PEM map".into()
                }
                other => format!("the key set is {}, expected {{\"keys\":[…]}} or a PEM map", other.kind()),
            });
        }
        set
    }

    /// Takes in an entry of a set.
    fn add(&mut self, entry: &Value) {
        let key = Jwk::from_json(entry).map(Arc::new);
        match entry.member("kid") {
            Some(Value::String(kid)) => self.keys.push((kid.clone(), key)),
            None if matches!(entry, Value::Object(_)) => self.anonymous.push(key),
            _ => {}
        }
    }

    /// The same keys, for these algorithms only; `None`: for those that each key allows.
    pub(crate) fn only_for(mut self, algorithms: Option<Vec<Algorithm>>) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// Why the document holds no keys at all, if it is no key set.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// How many keys can be used.
    pub fn usable(&self) -> usize {
        self.entries().filter(|key| key.is_ok()).count()
    }

    /// Whether an entry has the key id of a token, or may be meant by a token without one.
    pub(crate) fn knows(&self, kid: Option<&str>) -> bool {
        kid.is_none_or(|kid| self.named_by(kid).next().is_some())
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.keys.iter().map(|(_, entry)| entry).chain(&self.anonymous)
    }

    /// The entries that have this key id.
    fn named_by<'s, 'k>(&'s self, kid: &'k str) -> impl Iterator<Item = &'s Entry> + use<'s, 'k> {
        self.keys.iter().filter(move |(own, _)| own == kid).map(|(_, entry)| entry)
    }

    /// The one key of this id that may verify `alg` at this moment. A token without an id is for the only key that can
    /// have signed it. A key that is listed twice is one key.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownKey`] when no entry has the id, or none or more than one fits a token without one, [`ErrorCode::KeyUnusable`] when none or more than one
    /// of those that have it can be used, [`ErrorCode::AlgNotAllowed`] when the issuer does not sign with `alg`.
    pub(crate) fn find(&self, kid: Option<&str>, alg: Algorithm, now: Millis) -> Result<&Arc<Jwk>, Error> {
        if let Some(own) = self.algorithms.as_ref().filter(|own| !own.contains(&alg)) {
            let expected: Vec<_> = own.iter().map(|alg| alg.as_str()).collect();
            let found = format!("the token's header names {alg}, expected {}", expected.join(" or "));
            return Err(Error::new(ErrorCode::AlgNotAllowed, found).about("alg"));
        }
        match kid {
            Some(kid) => self.named(kid, alg, now),
            None => self.only(alg, now),
        }
    }

    fn named(&self, kid: &str, alg: Algorithm, now: Millis) -> Result<&Arc<Jwk>, Error> {
        if !self.knows(Some(kid)) {
            let found = self.problem.clone().unwrap_or_else(|| {
                format!("the token's kid is none of the {} in the key set", self.keys.len())
            });
            return Err(Error::new(ErrorCode::UnknownKey, found).about("kid").finding(kid));
        }
        let unusable = |why: String| Error::new(ErrorCode::KeyUnusable, why).about("kid").finding(kid);
        match distinct(self.named_by(kid), alg).as_slice() {
            [key] if key.is_valid_at(now) => Ok(key),
            [_] => Err(unusable("the key's certificate is outside its period of validity".into())),
            [_, ..] => Err(unusable("more than one key of the set has the token's kid".into())),
            [] => {
                let why = self.named_by(kid).find_map(|key| key.as_ref().err());
                Err(unusable(match why {
                    Some(why) => format!("the key that the token names cannot be used: {why}"),
                    None => format!("the key that the token names is not for {alg}"),
                }))
            }
        }
    }

    fn only(&self, alg: Algorithm, now: Millis) -> Result<&Arc<Jwk>, Error> {
        match distinct(self.entries(), alg).as_slice() {
            [key] if key.is_valid_at(now) => Ok(key),
            fitting => {
                let found = format!(
                    "the token's header has no kid, and {} keys of the set fit, expected one",
                    fitting.len()
                );
                Err(Error::new(ErrorCode::UnknownKey, found).about("kid").because(Reason::Missing))
            }
        }
    }
}

fn read(document: &str) -> Result<Value, Error> {
    let invalid = |what: String| Error::new(ErrorCode::InvalidOption, what);
    if document.len() > MAX_KEY_SET_BYTES {
        return Err(invalid(format!(
            "the key set has {} bytes, expected at most {MAX_KEY_SET_BYTES}",
            document.len()
        )));
    }
    json::value(document.as_bytes())
        .map_err(|error| invalid(format!("the key set is {error}, expected {{\"keys\":[…]}} or a PEM map")))
}

/// Whether a document is one key (RFC 7517, section 4), and not a set of keys.
fn is_jwk(document: &Value) -> bool {
    let kty = document.member("kty").and_then(Value::as_str);
    matches!(kty, Some("RSA" | "EC" | "OKP")) && document.member("keys").is_none()
}

/// The keys that may verify `alg`, each once.
fn distinct<'a>(entries: impl Iterator<Item = &'a Entry>, alg: Algorithm) -> Vec<&'a Arc<Jwk>> {
    let mut keys: Vec<&Arc<Jwk>> = Vec::new();
    for key in entries.flatten().filter(|key| key.allows(alg)) {
        if !keys.iter().any(|known| known.key == key.key && known.validity == key.validity) {
            keys.push(key);
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn a_document_without_keys_says_what_it_is() {
        let single = "the key set is a single JWK, expected it in a set: {\"keys\":[…]}";
        let none = "the key set names no key: expected {\"keys\":[{\"kid\":…}]} or a PEM map";
        for (document, expected) in [
            ("{}", Some(none)),
            (r#"{"keys":[]}"#, Some(none)),
            (r#"{"keys":[1,"a",null]}"#, Some(none)),
            (ED25519, Some(single)),
            ("[]", Some("the key set is an array, expected {\"keys\":[…]} or a PEM map")),
            (&format!(r#"{{"keys":[{ED25519}]}}"#), None),
            (r#"{"keys":[{"kid":"a"}]}"#, None),
            (r#"{"keys":[{}]}"#, None),
        ] {
            assert_eq!(KeySet::parse(document).unwrap().problem(), expected, "{document}");
        }
    }

    #[test]
    fn a_certificate_outside_its_time_has_no_key() {
        let key = Jwk {
            validity: Some((Millis(20), Millis(30))),
            ..Jwk::from_json(&read(ED25519).unwrap()).unwrap()
        };
        let set = KeySet { keys: vec![("a".to_owned(), Ok(Arc::new(key)))], ..KeySet::default() };
        let find =
            |kid, now| set.find(kid, Algorithm::EdDsa, Millis(now)).map(|_| ()).map_err(|error| error.code());
        for now in [20, 30] {
            assert_eq!((find(Some("a"), now), find(None, now)), (Ok(()), Ok(())));
        }
        for now in [19, 31] {
            assert_eq!(find(Some("a"), now), Err(ErrorCode::KeyUnusable));
            assert_eq!(find(None, now), Err(ErrorCode::UnknownKey));
        }
    }

    #[test]
    fn a_key_set_is_bounded() {
        let document = |length: usize| format!(r#"{{"keys":[]{}}}"#, " ".repeat(length - 11));
        assert!(KeySet::parse(&document(MAX_KEY_SET_BYTES)).is_ok());
        assert!(KeySet::parse(&document(MAX_KEY_SET_BYTES + 1)).is_err());
    }
}
