//! Values that must never be shown.

use std::fmt;

use zeroize::Zeroize;

/// A value that no `Debug` shows and that is overwritten when it is dropped.
///
/// Tokens, keys, assertions and whole request bodies are held in it. There is no `Display`, no `Deref` and no
/// `Serialize`: [`expose`](Self::expose) is the one way to the value, so every use can be found by its name.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes charge of `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Lends the value to code that is about to put it on the wire or into a computation.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl From<String> for Secret<String> {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
        assert_eq!(format!("{:#?}", Some(Secret::new(vec![1u8, 2]))), "Some(\n    Secret(…),\n)");
    }
}
