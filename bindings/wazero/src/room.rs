//! What an instance holds: texts on their way in and out, and what is behind handles.

use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{Ordering, compiler_fence};

use gatepass_bridge::{Failure, KeyCache, Op, Source, TokenCheck, Verifier};

thread_local! {
    /// All of it. An instance has one thread.
    pub(crate) static ROOM: RefCell<Room> = RefCell::new(Room::default());
}

#[derive(Default)]
pub(crate) struct Room {
    input: Vec<u8>,
    output: Vec<u8>,
    pub(crate) sources: Table<Source>,
    pub(crate) keys: Table<KeyCache>,
    pub(crate) verifiers: Table<Verifier>,
    pub(crate) ops: Table<Op>,
    pub(crate) checks: Table<TokenCheck>,
}

/// Most bytes of a buffer that is kept for the next call.
const KEPT: usize = 1 << 16;

impl Room {
    /// Gives the address of room for so many bytes, which the host fills.
    pub(crate) fn make_input(&mut self, length: u32) -> u32 {
        self.input.resize(length as usize, 0);
        address(&self.input)
    }

    fn lay_out(&mut self, bytes: Vec<u8>) -> u64 {
        let place = u64::from(address(&bytes)) << 32 | bytes.len() as u64;
        self.output = bytes;
        place
    }
}

/// Overwrites what a buffer held, whose address the host has, and keeps it unless it is large.
fn wipe(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.fill(0);
    // The host may read what comes before: it is not left out for nobody in the module reading it.
    compiler_fence(Ordering::SeqCst);
    buffer.clear();
    if buffer.capacity() > KEPT { Vec::new() } else { buffer }
}

fn address(bytes: &[u8]) -> u32 {
    bytes.as_ptr().expose_provenance() as u32
}

/// The highest bit of a result: what is laid out is an error.
const IS_FAILURE: u64 = 1 << 63;

/// Lays out what a call gives, in place of what the last one gave.
pub(crate) fn answer(call: impl FnOnce(&mut Room) -> Result<Output, Failure>) -> u64 {
    ROOM.with_borrow_mut(|room| {
        drop(wipe(mem::take(&mut room.output)));
        match call(room) {
            Ok(Output(bytes)) => room.lay_out(bytes),
            Err(failure) => room.lay_out(failure.to_json().into_bytes()) | IS_FAILURE,
        }
    })
}

/// The texts that the host has written for a call. They are wiped when it is over.
pub(crate) struct Input(Vec<u8>);

impl Drop for Input {
    fn drop(&mut self) {
        let buffer = wipe(mem::take(&mut self.0));
        ROOM.with_borrow_mut(|room| room.input = buffer);
    }
}

impl Input {
    pub(crate) fn take() -> Self {
        Self(ROOM.with_borrow_mut(|room| mem::take(&mut room.input)))
    }

    /// The texts of these lengths, one after the other.
    pub(crate) fn bytes<const N: usize>(&self, lengths: [u32; N]) -> Result<[&[u8]; N], Failure> {
        let mut rest = self.0.as_slice();
        let mut parts = [rest; N];
        for (part, length) in parts.iter_mut().zip(lengths) {
            (*part, rest) = rest
                .split_at_checked(length as usize)
                .ok_or_else(|| Failure::misuse("the input is shorter than its lengths say"))?;
        }
        Ok(parts)
    }

    pub(crate) fn texts<const N: usize>(&self, lengths: [u32; N]) -> Result<[&str; N], Failure> {
        let mut texts = [""; N];
        for (into, bytes) in texts.iter_mut().zip(self.bytes(lengths)?) {
            *into = text(bytes)?;
        }
        Ok(texts)
    }
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(bytes).map_err(|_| Failure::misuse("an argument is not UTF-8"))
}

/// What a call gives: integers, and after them a text.
#[derive(Default)]
pub(crate) struct Output(Vec<u8>);

impl Output {
    pub(crate) fn with_u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn with_u64(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(crate) fn with_bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// With the length first.
    pub(crate) fn with_text(self, text: &str) -> Self {
        self.with_u32(text.len() as u32).with_bytes(text.as_bytes())
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<u32> for Output {
    fn from(number: u32) -> Self {
        Self::default().with_u32(number)
    }
}

impl From<bool> for Output {
    fn from(truth: bool) -> Self {
        u32::from(truth).into()
    }
}

/// What is behind handles of one kind.
pub(crate) struct Table<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Gives it a handle.
    pub(crate) fn keep(&mut self, value: T) -> u32 {
        if let Some(handle) = self.free.pop() {
            if let Some(place) = self.place(handle) {
                *place = Some(value);
            }
            return handle;
        }
        self.places.push(Some(value));
        self.places.len() as u32
    }

    pub(crate) fn find(&mut self, handle: u32) -> Option<&mut T> {
        self.place(handle)?.as_mut()
    }

    /// Gives up the handle.
    pub(crate) fn take(&mut self, handle: u32) -> Option<T> {
        let value = self.place(handle)?.take()?;
        self.free.push(handle);
        Some(value)
    }

    fn place(&mut self, handle: u32) -> Option<&mut Option<T>> {
        self.places.get_mut((handle as usize).checked_sub(1)?)
    }
}

/// A handle that nothing is behind.
pub(crate) fn misuse(of: &str) -> Failure {
    Failure::misuse(format!("no {of} has this handle"))
}
