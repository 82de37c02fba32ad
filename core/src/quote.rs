//! Strangers' texts, made fit for a message: short, in quotes, and without what looks like a credential.

/// The most characters of a text that are shown.
const LONGEST_SHOWN: usize = 200;

/// A text as it may be kept and shown: short, and without anything that looks like a credential.
pub(crate) fn harmless(text: &str) -> String {
    if ["eyJ", "ya29.", "-----BEGIN"].iter().any(|secret| text.contains(secret)) {
        return "[redacted]".into();
    }
    let short: String = text.chars().take(LONGEST_SHOWN).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// A harmless text in quotes, with nothing that a terminal obeys.
pub(crate) fn quoted(text: &str) -> String {
    format!("{:?}", harmless(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shown_short_and_without_credentials() {
        assert_eq!(quoted("https://a\n\u{1b}[2J"), r#""https://a\n\u{1b}[2J""#);
        assert_eq!(quoted("a eyJhbGciOiJ"), r#""[redacted]""#);
        assert_eq!(quoted(&"é".repeat(300)).chars().count(), 203);
        assert_eq!(harmless("Bearer ya29.secret"), "[redacted]");
    }
}
