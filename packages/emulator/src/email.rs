//! The form of e-mail addresses.

/// The longest e-mail address, RFC 5321 section 4.5.3.1.3 without its angle brackets.
const MAX_EMAIL_LENGTH: usize = 254;

/// Whether the text is an e-mail address, of a person or of a service account.
pub(crate) fn is_email(text: &str) -> bool {
    text.len() <= MAX_EMAIL_LENGTH
        && text.split_once('@').is_some_and(|(name, domain)| is_email_part(name) && is_email_part(domain))
}

/// Narrower than RFC 5322 and as wide as Google's own addresses, so that an e-mail needs no escaping anywhere.
fn is_email_part(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
}
