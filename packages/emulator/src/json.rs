//! Members that an object may lack.

use serde_json::Value;

/// Adds a member to `object`, if there is a value for it.
pub(crate) fn with_optional(mut object: Value, name: &str, value: Option<impl Into<Value>>) -> Value {
    if let (Value::Object(members), Some(value)) = (&mut object, value) {
        members.insert(name.to_owned(), value.into());
    }
    object
}
