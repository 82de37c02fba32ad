//! Asking a proxy for the absolute URL of a plain request (RFC 9112, section 3.2.2). ureq itself opens a tunnel, which many
//! proxies refuse to ports other than 443.

use std::io::{Error as IoError, ErrorKind};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Puts scheme and authority of the target before the path of the one request that a connection carries.
#[derive(Debug)]
pub(super) struct AbsoluteForm {
    /// Such as `http://a.example:8080`.
    pub(super) origin: String,
}

impl<In: Transport> Connector<In> for AbsoluteForm {
    type Out = InAbsoluteForm<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| InAbsoluteForm { inner, origin: Some(self.origin.clone()) }))
    }
}

#[derive(Debug)]
pub(super) struct InAbsoluteForm<T> {
    inner: T,
    /// Until the request line is sent.
    origin: Option<String>,
}

impl<T: Transport> Transport for InAbsoluteForm<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let added = match self.origin.take() {
            None => 0,
            Some(origin) => insert(self.inner.buffers().output(), amount, origin.as_bytes())
                .ok_or_else(|| IoError::new(ErrorKind::InvalidInput, "a request without a request line"))?,
        };
        self.inner.transmit_output(amount + added, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// Puts the origin behind the method of a request that fills so much of the buffer; gives how much longer it is.
fn insert(buffer: &mut [u8], amount: usize, origin: &[u8]) -> Option<usize> {
    let target = buffer.get(..amount)?.iter().position(|byte| *byte == b' ')? + 1;
    let moved = buffer.get_mut(target..amount + origin.len())?;
    moved.copy_within(..amount - target, origin.len());
    moved.get_mut(..origin.len())?.copy_from_slice(origin);
    Some(origin.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_stands_before_the_path() {
        let mut buffer = *b"GET /b?c HTTP/1.1\r\n\r\n............";
        assert_eq!(insert(&mut buffer, 21, b"http://a"), Some(8));
        assert_eq!(&buffer, b"GET http://a/b?c HTTP/1.1\r\n\r\n....");
        assert_eq!(insert(&mut [b' '; 4], 4, b"http://a"), None, "there is no room");
        assert_eq!(insert(&mut [b'a'; 40], 4, b"http://a"), None, "there is no request");
    }
}
