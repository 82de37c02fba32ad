//! Elements of DER (ITU-T X.690, section 10), taken from the front of a slice.

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;

/// 1.2.840.113549.1.1.1 (RFC 8017, appendix C)
pub(crate) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1 (RFC 5480, section 2.1.1)
pub(crate) const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7 (RFC 5480, section 2.1.1.1)
pub(crate) const SECP256R1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// Takes a BIT STRING of whole bytes.
pub(crate) fn bit_string(der: &[u8]) -> Option<&[u8]> {
    take(der, BIT_STRING)?.0.strip_prefix(&[0])
}

/// Takes one DER element of this tag; gives its content and what follows it.
pub(crate) fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, der) = der.split_first()?;
    let (first, der) = der.split_first()?;
    let (length, der) = match *first {
        short @ 0..=0x7f => (usize::from(short), der),
        0x81 => der.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => der.split_first_chunk::<2>().map(|(l, rest)| (usize::from(u16::from_be_bytes(*l)), rest))?,
        _ => return None,
    };
    (*found == tag).then(|| der.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_der_is_refused() {
        for length in 0..6 {
            assert_eq!(take(&[SEQUENCE, 0x82, 0, 3, 1, 2][..length], SEQUENCE), None);
        }
    }

    #[test]
    fn lengths_of_one_and_two_bytes_are_read() {
        for (head, length) in [
            (&[SEQUENCE, 0x7f][..], 127),
            (&[SEQUENCE, 0x81, 0x80], 128),
            (&[SEQUENCE, 0x81, 0xff], 255),
            (&[SEQUENCE, 0x82, 1, 0], 256),
        ] {
            let der = [head, &vec![7; length], &[9]].concat();
            assert_eq!(take(&der, SEQUENCE), Some((&vec![7; length][..], &[9][..])));
        }
        for bad in [
            &[SEQUENCE][..],
            &[SEQUENCE, 0x80],
            &[SEQUENCE, 0x81],
            &[SEQUENCE, 2, 0],
            &[INTEGER, 0],
            &[SEQUENCE, 0x83, 0, 0, 0],
        ] {
            assert_eq!(take(bad, SEQUENCE), None);
        }
    }
}
