//! A token as far as it has been read: what was decoded of it once is not decoded again when its check goes on after a step.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crate::error::Error;
use crate::jose::alg::Algorithm;
use crate::jose::jws::{Compact, Dots, Header};
use crate::sync::Latest;

/// A token, and its parts as they are needed. A part that is refused is read anew each time.
pub(super) struct Reading<'t> {
    text: Cow<'t, str>,
    dots: OnceCell<Dots>,
    header: OnceCell<Arc<Header>>,
    payload: OnceCell<Vec<u8>>,
    signature: OnceCell<Vec<u8>>,
}

impl<'t> Reading<'t> {
    pub(super) fn of(token: impl Into<Cow<'t, str>>) -> Self {
        Self {
            text: token.into(),
            dots: OnceCell::new(),
            header: OnceCell::new(),
            payload: OnceCell::new(),
            signature: OnceCell::new(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The header, refused unless it is one that an ID token has.
    pub(super) fn header(&self, allowed: &[Algorithm], last: &LastHeader) -> Result<&Arc<Header>, Error> {
        once(&self.header, || {
            let compact = self.compact()?;
            last.known(compact).map_or_else(|| compact.header(allowed).map(Arc::new), Ok)
        })
    }

    /// Keeps the header for the next token.
    pub(super) fn keep_header(&self, last: &LastHeader) {
        if let (Ok(compact), Some(header)) = (self.compact(), self.header.get()) {
            last.keep(compact, header);
        }
    }

    /// What is signed.
    pub(super) fn signing_input(&self) -> Result<&str, Error> {
        Ok(self.compact()?.signing_input())
    }

    /// The payload's own bytes.
    pub(super) fn payload(&self) -> Result<&[u8], Error> {
        once(&self.payload, || self.compact()?.payload()).map(Vec::as_slice)
    }

    /// The signature's own bytes.
    pub(super) fn signature(&self) -> Result<&[u8], Error> {
        once(&self.signature, || self.compact()?.signature()).map(Vec::as_slice)
    }

    fn compact(&self) -> Result<Compact<'_>, Error> {
        match self.dots.get() {
            Some(dots) => Ok(Compact::cut(&self.text, *dots)),
            None => {
                let compact = Compact::split(&self.text)?;
                let _ = self.dots.set(compact.dots());
                Ok(compact)
            }
        }
    }
}

/// The header of the last token that was accepted: tokens by one key have the same, which need not be decoded and read again.
///
/// What a header says depends on nothing but its text and the algorithms of its verifier. Those of tokens that are refused
/// are not kept, so that nobody without a key of the issuer changes which one it is.
#[derive(Default)]
pub(super) struct LastHeader(Latest<Kept>);

struct Kept {
    /// As it stands in the token.
    text: String,
    header: Arc<Header>,
}

impl LastHeader {
    /// The header of this token, if it is the one that is kept.
    fn known(&self, token: Compact<'_>) -> Option<Arc<Header>> {
        self.0.read(|kept| {
            let kept = kept.filter(|kept| kept.text == token.encoded_header());
            kept.map(|kept| Arc::clone(&kept.header))
        })
    }

    fn keep(&self, token: Compact<'_>, header: &Arc<Header>) {
        if !self.0.read(|kept| kept.is_some_and(|kept| Arc::ptr_eq(&kept.header, header))) {
            self.0.replace(Kept { text: token.encoded_header().to_owned(), header: Arc::clone(header) });
        }
    }
}

fn once<T>(cell: &OnceCell<T>, read: impl FnOnce() -> Result<T, Error>) -> Result<&T, Error> {
    match cell.get() {
        Some(known) => Ok(known),
        None => read().map(|new| cell.get_or_init(|| new)),
    }
}
