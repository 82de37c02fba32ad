//! JSON as Python's own objects, both ways. Python's `json` does the same, but importing it takes longer than all else
//! that leads to the first verification of a process.
//!
//! A whole number beyond 64 bits is read as a float.

use std::fmt;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

/// Objects and arrays within each other; what holds itself has no end.
const MAX_DEPTH: usize = 64;

/// Names that come again with every token.
const USUAL: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "email",
    "email_verified",
    "azp",
    "nbf",
    "hd",
    "google",
    "name",
    "picture",
    "nonce",
    "at_hash",
    "user_id",
    "auth_time",
    "firebase",
    "jti",
];

/// What objects and arrays become: classes made of `dict` and `list`.
#[derive(Clone, Copy)]
pub(crate) struct Classes<'a, 'py> {
    /// Of the outermost value.
    pub(crate) whole: &'a Bound<'py, PyType>,
    /// Of the objects in it.
    pub(crate) object: &'a Bound<'py, PyType>,
    /// Of arrays.
    pub(crate) array: &'a Bound<'py, PyType>,
}

/// What `text` says, in dictionaries and lists.
pub(crate) fn read<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let (object, array) = (&py.get_type::<PyDict>(), &py.get_type::<PyList>());
    read_as(text.as_bytes(), Classes { whole: object, object, array })
}

/// What `text` says, in these classes.
pub(crate) fn read_as<'py>(text: &[u8], classes: Classes<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    let read = Reader(classes).deserialize(&mut serde_json::Deserializer::from_slice(text));
    // serde's own message may quote the text.
    read.map_err(|error| {
        PyValueError::new_err(format!("not the JSON of gatepass (column {})", error.column()))
    })
}

/// Dictionaries, lists and what they hold, as JSON.
pub(crate) fn write(value: &Bound<'_, PyAny>) -> PyResult<String> {
    serde_json::to_string(&Writer { value, depth: 0 })
        .map_err(|error| PyTypeError::new_err(error.to_string()))
}

struct Reader<'a, 'py>(Classes<'a, 'py>);

impl<'py> Reader<'_, 'py> {
    fn py(&self) -> Python<'py> {
        self.0.object.py()
    }

    fn inner(&self) -> Self {
        Self(Classes { whole: self.0.object, ..self.0 })
    }
}

impl<'de, 'py> DeserializeSeed<'de> for Reader<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'py> Visitor<'de> for Reader<'_, 'py> {
    type Value = Bound<'py, PyAny>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.py().None().into_bound(self.py()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(PyBool::new(self.py(), value).to_owned().into_any())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(PyInt::new(self.py(), value).into_any())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(PyInt::new(self.py(), value).into_any())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(PyFloat::new(self.py(), value).into_any())
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(PyString::new(self.py(), value).into_any())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let array = self.0.array.call0().map_err(A::Error::custom)?;
        let items = array.cast::<PyList>().map_err(A::Error::custom)?;
        while let Some(item) = seq.next_element_seed(self.inner())? {
            items.append(item).map_err(A::Error::custom)?;
        }
        Ok(array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let object = self.0.whole.call0().map_err(A::Error::custom)?;
        let members = object.cast::<PyDict>().map_err(A::Error::custom)?;
        while let Some(name) = map.next_key_seed(Name(self.py()))? {
            members.set_item(name, map.next_value_seed(self.inner())?).map_err(A::Error::custom)?;
        }
        Ok(object)
    }
}

/// The name of a member. The usual ones are kept once, for all tokens and for ever; any other is an object of its own, as
/// whoever makes tokens may name claims without end.
struct Name<'py>(Python<'py>);

impl<'de, 'py> DeserializeSeed<'de> for Name<'py> {
    type Value = Bound<'py, PyString>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'py> Visitor<'_> for Name<'py> {
    type Value = Bound<'py, PyString>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(usual(self.0, name).unwrap_or_else(|| PyString::new(self.0, name)))
    }
}

fn usual<'py>(py: Python<'py>, name: &str) -> Option<Bound<'py, PyString>> {
    static KEPT: PyOnceLock<Vec<Py<PyString>>> = PyOnceLock::new();
    let place = USUAL.iter().position(|usual| *usual == name)?;
    let kept =
        KEPT.get_or_init(py, || USUAL.iter().map(|name| PyString::intern(py, name).unbind()).collect());
    Some(kept.get(place)?.bind(py).clone())
}

struct Writer<'a, 'py> {
    value: &'a Bound<'py, PyAny>,
    depth: usize,
}

impl Serialize for Writer<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (value, depth) = (self.value, self.depth + 1);
        if depth > MAX_DEPTH {
            return Err(S::Error::custom("nested too deep for JSON"));
        }
        if let Ok(text) = value.cast::<PyString>() {
            serializer.serialize_str(&text.to_string_lossy())
        } else if value.is_none() {
            serializer.serialize_unit()
        } else if let Ok(truth) = value.cast::<PyBool>() {
            serializer.serialize_bool(truth.is_true())
        } else if let Ok(number) = value.extract::<i64>() {
            serializer.serialize_i64(number)
        } else if let Ok(number) = value.extract::<f64>() {
            serializer.serialize_f64(number)
        } else if let Ok(members) = value.cast::<PyDict>() {
            let mut map = serializer.serialize_map(Some(members.len()))?;
            for (name, value) in members {
                let name =
                    name.cast::<PyString>().map_err(|_| S::Error::custom("a name in JSON must be str"))?;
                map.serialize_entry(&*name.to_string_lossy(), &Writer { value: &value, depth })?;
            }
            map.end()
        } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
            let items = value.try_iter().map_err(S::Error::custom)?.collect::<PyResult<Vec<_>>>();
            let items = items.map_err(S::Error::custom)?;
            serializer.collect_seq(items.iter().map(|value| Writer { value, depth }))
        } else {
            Err(S::Error::custom(format!("{} is no JSON", value.get_type())))
        }
    }
}
