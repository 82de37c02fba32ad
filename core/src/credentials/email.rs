//! The e-mails of service accounts, which become parts of URLs.

/// An e-mail, or the name that the IAM Credentials API gives to the account of one.
pub(super) fn is_delegate(delegate: &str) -> bool {
    is_email(delegate.strip_prefix("projects/-/serviceAccounts/").unwrap_or(delegate))
}

/// Something before and after one `@`, of the characters that e-mails of service accounts have.
pub(super) fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    text.split_once('@').is_some_and(|(name, domain)| plain(name) && plain(domain))
}
