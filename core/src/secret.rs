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
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Memory that can be looked at after its owner is gone.
    struct Memory(Rc<RefCell<Vec<u8>>>);

    impl Zeroize for Memory {
        fn zeroize(&mut self) {
            self.0.borrow_mut().as_mut_slice().zeroize();
        }
    }

    #[test]
    fn what_is_dropped_is_overwritten_first() {
        let memory = Rc::new(RefCell::new(b"hunter2".to_vec()));
        let secret = Secret::new(Memory(Rc::clone(&memory)));
        assert_eq!(*secret.expose().0.borrow(), b"hunter2");
        drop(secret);
        assert_eq!(*memory.borrow(), [0; 7]);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
        assert_eq!(format!("{:#?}", Some(Secret::new(vec![1u8, 2]))), "Some(\n    Secret(…),\n)");
    }
}
