//! Key sets: JWK sets (RFC 7517, section 5) and Google's maps from key id to PEM.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, ErrorCode};
use crate::jose::alg::Algorithm;
use crate::jose::jwk::Jwk;
use crate::jose::x509;
use crate::json::{self, Value};
use crate::step::Millis;

/// Largest key set that is read.
pub const MAX_KEY_SET_OCTETS: usize = 256 * 1024;
/// Most keys that a set may hold; Google's hold 2 to 5.
pub const MAX_KEYS: usize = 64;

/// The keys of an issuer, by key id. Entries that cannot be used are kept with the reason, and never fatal.
#[derive(Debug, Default, PartialEq)]
pub struct KeySet {
    keys: HashMap<String, Vec<Result<Arc<Jwk>, &'static str>>>,
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
    /// [`ErrorCode::InvalidOption`] when it is not strict JSON, larger than [`MAX_KEY_SET_OCTETS`] or holds more
    /// than [`MAX_KEYS`] keys.
    pub fn parse(document: &str) -> Result<Self, Error> {
        let invalid = |what: String| Error::new(ErrorCode::InvalidOption, what);
        if document.len() > MAX_KEY_SET_OCTETS {
            return Err(invalid(format!(
                "the key set has {} octets, expected at most {MAX_KEY_SET_OCTETS}",
                document.len()
            )));
        }
        let value = json::value(document.as_bytes()).map_err(|error| {
            invalid(format!("the key set is {error}, expected {{\"keys\":[…]}} or a PEM map"))
        })?;
        let set = Self::from_value(&value);
        match set.keys.values().map(Vec::len).sum::<usize>() {
            0..=MAX_KEYS => Ok(set),
            count => Err(invalid(format!("the key set holds {count} keys, expected at most {MAX_KEYS}"))),
        }
    }

    fn from_value(document: &Value) -> Self {
        let mut set = Self::default();
        match (document, document.member("keys")) {
            (_, Some(Value::Array(entries))) => {
                for entry in entries {
                    if let Some(Value::String(kid)) = entry.member("kid") {
                        set.keys.entry(kid.clone()).or_default().push(Jwk::from_json(entry).map(Arc::new));
                    }
                }
            }
            (Value::Object(entries), None) if !entries.is_empty() => {
                for (kid, pem) in entries {
                    if let Value::String(pem) = pem {
                        set.keys.entry(kid.clone()).or_default().push(x509::key_from_pem(pem).map(Arc::new));
                    }
                }
            }
            _ => {}
        }
        if set.keys.is_empty() {
            set.problem = Some(match document {
                Value::Object(_) => {
                    "the key set names no key: expected {\"keys\":[{\"kid\":…}]} or a PEM map".into()
                }
                other => format!("the key set is {}, expected {{\"keys\":[…]}} or a PEM map", other.kind()),
            });
        }
        set
    }

    /// The same keys, for these algorithms only; `None`: for those that each key allows.
    pub(crate) fn only_for(mut self, algorithms: Option<Vec<Algorithm>>) -> Self {
        self.algorithms = algorithms;
        self
    }

    /// How many keys can be used.
    pub fn usable(&self) -> usize {
        self.keys.values().flatten().filter(|key| key.is_ok()).count()
    }

    /// Whether an entry has this key id.
    pub(crate) fn knows(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    /// The one key of this id that may verify `alg` at this moment.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownKey`] when no entry has the id, [`ErrorCode::KeyUnusable`] when none or more than one
    /// of those that have it can be used, [`ErrorCode::AlgNotAllowed`] when the issuer does not sign with `alg`.
    pub(crate) fn find(&self, kid: &str, alg: Algorithm, now: Millis) -> Result<&Arc<Jwk>, Error> {
        let Some(entries) = self.keys.get(kid) else {
            let found = self.problem.clone().unwrap_or_else(|| {
                format!("the token's kid is none of the {} in the key set", self.keys.len())
            });
            return Err(Error::new(ErrorCode::UnknownKey, found).about("kid"));
        };
        if let Some(own) = self.algorithms.as_ref().filter(|own| !own.contains(&alg)) {
            let expected: Vec<_> = own.iter().map(|alg| alg.as_str()).collect();
            let found = format!("the token's header names {alg}, expected {}", expected.join(" or "));
            return Err(Error::new(ErrorCode::AlgNotAllowed, found).about("alg"));
        }
        let unusable = |why: String| Error::new(ErrorCode::KeyUnusable, why).about("kid");
        let mut usable = entries.iter().flatten().filter(|key| key.allows(alg));
        match (usable.next(), usable.next()) {
            (Some(key), None) if key.is_valid_at(now) => Ok(key),
            (Some(_), None) => {
                Err(unusable("the key's certificate is outside its period of validity".into()))
            }
            (Some(_), Some(_)) => Err(unusable("more than one key of the set has the token's kid".into())),
            (None, _) => {
                let why = entries.iter().find_map(|key| key.as_ref().err());
                Err(unusable(match why {
                    Some(why) => format!("the key that the token names cannot be used: {why}"),
                    None => format!("the key that the token names is not for {alg}"),
                }))
            }
        }
    }
}
