//! Outside texts, made fit for a message: short, in quotes, and without what looks like a credential.
//!
//! Any value may be something else than it should be: a key where a path belongs, a token where a name does. No text from
//! outside gets into an error, a log line or an explanation but by this file.

use std::fmt;

/// The most characters of a text that are shown.
const LONGEST_SHOWN: usize = 200;
/// The most characters of a path that are shown; longer ones are refused by most file systems.
const LONGEST_PATH: usize = 1024;
const REDACTED: &str = "[redacted]";

/// How keys, tokens and client secrets begin.
const MARKS: [&str; 6] = ["eyJ", "ya29.", "1//", "GOCSPX-", "-----BEGIN", "PRIVATE KEY"];
/// The shortest word of three kinds of characters that may be random.
const SHORTEST_RANDOM: usize = 20;
/// The shortest hexadecimal number that may be a key.
const SHORTEST_HEX: usize = 32;
/// The shortest word without a break that may be a key, whatever it is made of.
const SHORTEST_UNBROKEN: usize = 40;

/// A text as it may be kept and shown: short, and without anything that looks like a credential.
pub(crate) fn harmless(text: &str) -> String {
    if MARKS.iter().any(|mark| text.contains(mark)) {
        return REDACTED.into();
    }
    shortened(&words(text), LONGEST_SHOWN)
}

/// A text from outside in quotes, as an error or a log may show it: short, with nothing that a terminal obeys, and
/// without what looks like a key or a token.
pub fn quoted(text: &str) -> String {
    format!("{:?}", harmless(text))
}

/// A path in quotes, with every character that does not show written out, and what is odd about it; or what it looks like
/// if it is none.
pub(crate) fn path(text: &str) -> String {
    if let Some(found) = no_path(text) {
        return found.to_owned();
    }
    let quoted = format!("{:?}", shortened(&words(text), LONGEST_PATH));
    let odd = if text.contains(['"', '\'']) {
        " (the quotation marks are part of it)"
    } else if text.starts_with('~') {
        " (a shell makes a home folder of ~, nobody else does)"
    } else if text.trim() != text {
        " (the white space is part of it)"
    } else {
        ""
    };
    quoted + odd
}

/// A path at which no file was read, as an error or a log may show it. A word without a folder and an extension may be a password as well as a name, so it is
/// not shown.
pub fn unread_path(text: &str) -> String {
    let has_extension = text.rsplit_once('.').is_some_and(|(name, extension)| {
        !name.is_empty()
            && (2..=8).contains(&extension.len())
            && extension.bytes().all(|b| b.is_ascii_alphabetic())
    });
    if no_path(text).is_some() || has_extension || text.contains(['/', '\\']) {
        return path(text);
    }
    withheld(text, "without a folder or an extension")
}

/// A path that is made of a folder, as a variable names it, and what is below it. A word without a separator may be a
/// password as well as a folder.
pub(crate) fn path_in(folder: &str, file: &str) -> String {
    match no_path(folder) {
        None if folder.contains(['/', '\\']) => path(&format!("{folder}{file}")),
        None => {
            let folder = withheld(folder, "without a separator");
            format!("{} in a folder whose name is {folder}", quoted(file))
        }
        Some(found) => format!("{} in a folder whose name is {found}", quoted(file)),
    }
}

/// What stands for a text that has not the form that it should have, and may be anything: how long it is, and `what` is
/// odd about it.
pub(crate) fn withheld(text: &str, what: &str) -> String {
    format!("[{} characters {what}, not shown]", text.chars().count())
}

/// A text in a `Debug`, as [`quoted`] shows it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(self.0))
    }
}

impl Quoted<'_> {
    /// Several texts.
    pub(crate) fn all(texts: &[String]) -> Vec<Quoted<'_>> {
        texts.iter().map(|text| Quoted(text)).collect()
    }
}

/// What a text looks like that was given for a path and is none; `None` if it may be one.
pub(crate) fn no_path(text: &str) -> Option<&'static str> {
    let begin = text.trim_start_matches(['\u{feff}', '"', '\'']).trim_start();
    if text.is_empty() {
        Some("an empty text")
    } else if begin.starts_with(['{', '[']) {
        Some("a text that looks like JSON, not like a path")
    } else if MARKS.iter().any(|mark| text.contains(mark)) {
        Some("a text that looks like a key or a token, not like a path")
    } else if text.len() > LONGEST_PATH {
        Some("a text that is too long for a path")
    } else {
        None
    }
}

/// Zero-width and bidirectional formatting characters: a text with one looks like another. And the replacement character,
/// which is what is left of text that was no Unicode.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{fffd}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What comes after a colon, where a message gives the reason that somebody else has given; nothing where they gave none.
pub(crate) fn because(message: &str) -> String {
    let reason = reason(message);
    if reason.is_empty() { reason } else { format!(": {reason}") }
}

/// What an endpoint or an operating system says: printable ASCII, short, without what looks like a credential. URLs,
/// accounts and audiences are none.
pub(crate) fn reason(text: &str) -> String {
    const LONGEST_REASON: usize = 400;
    let clean: String = text.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).take(4096).collect();
    let is_secret = |word: &str| MARKS.iter().any(|mark| word.contains(mark));
    // A PEM block has spaces in its first line.
    let clean = if clean.contains("PRIVATE KEY") { REDACTED } else { clean.as_str() };
    let shown: Vec<_> = clean
        .split_ascii_whitespace()
        .map(|word| if is_secret(word) { REDACTED.to_owned() } else { words(word) })
        .collect();
    shortened(&shown.join(" "), LONGEST_REASON)
}

fn shortened(text: &str, longest: usize) -> String {
    let short: String = text.chars().take(longest).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// The text with everything cut out of it that looks random, and the user information of URLs, which holds passwords.
fn words(text: &str) -> String {
    let text = &without_user_information(text);
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "+=_-".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if is_of_word(c) {
            word.push(c);
        } else {
            out.push_str(if is_random(&word) { REDACTED } else { &word });
            word.clear();
            out.push(c);
        }
    }
    out.push_str(if is_random(&word) { REDACTED } else { &word });
    out
}

/// The text with what is between `://` and the host cut out of each URL in it.
fn without_user_information(text: &str) -> String {
    let mut parts = text.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority =
            part.split(|c: char| c.is_whitespace() || "/?#\"'<>".contains(c)).next().unwrap_or_default();
        out.push_str("://");
        match authority.rfind('@').and_then(|at| part.get(at..)) {
            Some(rest) => {
                out.push_str(REDACTED);
                out.push_str(rest);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// Whether a word looks as if nobody had thought of it: a key or a token, in base64 or in hexadecimal.
fn is_random(word: &str) -> bool {
    let unbroken = word.split(['-', '_']).map(str::len).max().unwrap_or_default();
    if unbroken >= SHORTEST_UNBROKEN {
        return true;
    }
    if word.len() >= SHORTEST_HEX && word.bytes().all(|b| b.is_ascii_hexdigit()) {
        return word.bytes().any(|b| b.is_ascii_alphabetic());
    }
    let kind = |b: u8| match b {
        b'a'..=b'z' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'0'..=b'9' => Some(2),
        _ => None,
    };
    let kinds: Vec<u8> = word.bytes().filter_map(kind).collect();
    let changes = kinds.iter().zip(kinds.iter().skip(1)).filter(|(a, b)| a != b).count();
    word.len() >= SHORTEST_RANDOM && (0..3).all(|kind| kinds.contains(&kind)) && changes * 5 >= word.len() * 2
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

    #[test]
    fn what_looks_random_is_cut_out_and_names_are_not() {
        for secret in [
            "q8FzA3kd_9xLm2Vb7-TnQw4RsYc1Ue6H",
            "wJalrXUtnFEMI+K7MDENGbPxRfiCYEXAMPLEKEY0",
            "0123456789abcdef0123456789abcdef",
            "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d61d8327deb882cf99",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        ] {
            assert_eq!(quoted(secret), "\"[redacted]\"", "{secret}");
            assert_eq!(path(&format!("/run/{secret}/key.json")), "\"/run/[redacted]/key.json\"", "{secret}");
            assert_eq!(reason(&format!("no {secret} here")), "no [redacted] here", "{secret}");
        }
        for name in [
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/orders@shop.iam.gserviceaccount.com:generateAccessToken",
            "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/emulator/providers/emulator",
            "https://orders-7f3kq2x4ca-uc.a.run.app",
            "123456789012-compute@developer.gserviceaccount.com",
            "32555940559.apps.googleusercontent.com",
            "iam.serviceAccounts.getOpenIdToken",
            "urn:ietf:params:oauth:token-type:aws4_request",
            "8f14e45f-ceea-467f-a9b7-1b4d3f5c2e11",
            "/var/run/secrets/tokens/gcp-ksa/google-application-credentials.json",
            "/home/u/.config/gcloud/application_default_credentials.json",
            "113774264463038321964",
        ] {
            assert_eq!(harmless(name), name);
            assert_eq!(reason(name), name);
        }
    }

    #[test]
    fn passwords_are_cut_out_of_urls() {
        for (text, shown) in [
            ("https://u:hunter2@a.example/x?y", "https://[redacted]@a.example/x?y"),
            (
                "no way to http://u:p@ss@proxy:3128, or to https://b",
                "no way to http://[redacted]@proxy:3128, or to https://b",
            ),
            ("socks5://hunter2@a", "socks5://[redacted]@a"),
            ("https://a/@b", "https://a/@b"),
            ("serviceAccount:a@b.example", "serviceAccount:a@b.example"),
        ] {
            assert_eq!(harmless(text), shown);
            assert_eq!(reason(text), shown);
        }
    }

    #[test]
    fn a_long_word_that_somebody_thought_of_is_shown() {
        // Of twenty characters, eight would have to be of another kind than the one before.
        assert_eq!(harmless("Release2026Candidate7OfOrders"), "Release2026Candidate7OfOrders");
        assert_eq!(harmless("Ab1cdefgh2ijklmNopqr"), "Ab1cdefgh2ijklmNopqr");
        assert_eq!(harmless("Ab1cdefGh2ijklM3opqr"), "[redacted]");
    }

    #[test]
    fn the_longest_path_has_1024_bytes() {
        assert_eq!(no_path(&"a".repeat(1024)), None);
        assert_eq!(no_path(&"a".repeat(1025)), Some("a text that is too long for a path"));
    }

    #[test]
    fn a_path_is_shown_as_it_is() {
        for (text, shown) in [
            ("/run/key.json", r#""/run/key.json""#),
            ("/run/key.json\r", r#""/run/key.json\r" (the white space is part of it)"#),
            ("/run/key.json ", r#""/run/key.json " (the white space is part of it)"#),
            ("\"/run/key.json\"", r#""\"/run/key.json\"" (the quotation marks are part of it)"#),
            ("~/key.json", r#""~/key.json" (a shell makes a home folder of ~, nobody else does)"#),
            ("/run/\u{1b}[2J", r#""/run/\u{1b}[2J""#),
            (r"C:\Users\u\key.json", r#""C:\\Users\\u\\key.json""#),
        ] {
            assert_eq!(path(text), shown);
        }
        for json in ["{\"private_key\":1}", " [1]", "\u{feff}{", "'{}'"] {
            assert_eq!(path(json), "a text that looks like JSON, not like a path");
        }
        for key in ["-----BEGIN PRIVATE KEY-----", "ya29.x", "eyJhbGciOi"] {
            assert_eq!(path(key), "a text that looks like a key or a token, not like a path");
        }
    }

    #[test]
    fn a_word_that_led_to_no_file_may_be_a_password() {
        for word in ["hunter2", "Tr0ub4dor&3", "correct horse battery", "pass.w0rd", "abc.d", ".hidden", "~"]
        {
            let count = word.chars().count();
            let shown = format!("[{count} characters without a folder or an extension, not shown]");
            assert_eq!(unread_path(word), shown, "{word}");
        }
        for path_of_a_file in ["key.json", "./key", "/run/key", r"C:\key", "gcloud.credentials.json", "~/key"]
        {
            assert_eq!(unread_path(path_of_a_file), path(path_of_a_file));
        }
        assert_eq!(unread_path("{}"), "a text that looks like JSON, not like a path");
    }

    #[test]
    fn a_strangers_words_hold_no_token() {
        let token = format!("eyJ{}", "x".repeat(10));
        assert_eq!(reason(&format!("Bad\r\ntoken {token} here")), "Bad token [redacted] here");
        assert_eq!(reason("-----BEGIN PRIVATE KEY----- MIIE x"), "[redacted]");
        assert_eq!(reason(&"word ".repeat(100)).chars().count(), 401);
    }
}
