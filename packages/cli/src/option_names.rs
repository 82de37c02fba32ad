//! The core's options as this program spells them: messages name them in backticks.

/// Those that have another name here.
const OTHERS: [(&str, &str); 7] = [
    ("allowed_emails", "email"),
    ("allowed_subjects", "subject"),
    ("audiences", "audience"),
    ("credentials_file", "credentials"),
    ("issuers", "issuer"),
    ("algorithms", "algorithm"),
    ("leeway_seconds", "leeway"),
];

/// The message with `any_audience` as `--any-audience`.
pub(crate) fn spelled(message: &str) -> String {
    let parts = message.split('`').enumerate().map(|(index, part)| {
        let is_option = index % 2 == 1 && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        match OTHERS.iter().find(|(option, _)| *option == part) {
            _ if !is_option => part.to_owned(),
            Some((_, name)) => format!("--{name}"),
            None => format!("--{}", part.replace('_', "-")),
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_named_as_they_are_typed() {
        assert_eq!(
            spelled("needs `allowed_emails` (or `any_caller`), not a_b"),
            "needs `--email` (or `--any-caller`), not a_b"
        );
        assert_eq!(spelled("a `Bearer` and a ` alone"), "a `Bearer` and a ` alone");
    }
}
