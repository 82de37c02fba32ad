//! What people copy along with a token: the header's name, `Bearer`, quotes, line breaks, padding.

/// Something around or within a token that does not belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrapping {
    WhiteSpace,
    HeaderName,
    Bearer,
    Quotes,
    LineBreaks,
    Padding,
    Alphabet,
}

impl Wrapping {
    /// The name that programs read.
    pub(crate) const fn cause(self) -> &'static str {
        match self {
            Self::WhiteSpace => "white_space",
            Self::HeaderName => "header_name",
            Self::Bearer => "bearer_prefix",
            Self::Quotes => "quotes",
            Self::LineBreaks => "line_breaks",
            Self::Padding => "padding",
            Self::Alphabet => "alphabet",
        }
    }

    /// What was found, and what to do about it.
    pub(crate) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WhiteSpace => (
                "there is white space before or after the token",
                "Trim it: files and commands end in a line break.",
            ),
            Self::HeaderName => ("the text begins with a header's name", "Pass what follows the colon."),
            Self::Bearer => (
                "the text begins with Bearer",
                "Pass the word after Bearer only. Where a client adds Bearer itself, the header now says it twice.",
            ),
            Self::Quotes => {
                ("there are quotes around the token", "Take them away: JSON was probably not decoded.")
            }
            Self::LineBreaks => (
                "there is white space within the token",
                "Join the lines: a terminal or an editor wrapped it, or one header has two values.",
            ),
            Self::Padding => (
                "a part of the token ends in =",
                "Encode with base64url without padding (RFC 7515, section 2), or pass the token as it was issued.",
            ),
            Self::Alphabet => (
                "the token holds + or /",
                "Encode with base64url, which has - and _ in their place, or pass the token as it was issued.",
            ),
        }
    }
}

/// The token within `text`, and what surrounded it.
pub(crate) fn peel(text: &str) -> (String, Vec<Wrapping>) {
    let (mut rest, mut found) = (text, Vec::new());
    // Each may surround each; four rounds undo what people do.
    for _ in 0..4 {
        for (wrapping, strip) in OUTER {
            if let Some(inner) = strip(rest) {
                rest = inner;
                if !found.contains(&wrapping) {
                    found.push(wrapping);
                }
            }
        }
    }
    let joined: String = rest.split_whitespace().collect();
    if joined != rest {
        found.push(Wrapping::LineBreaks);
    }
    // Only in what would be a token then: other texts have a right to these characters.
    if joined.split('.').count() != 3 {
        return (joined, found);
    }
    let unpadded = joined.split('.').map(|part| part.trim_end_matches('=')).collect::<Vec<_>>().join(".");
    if unpadded != joined {
        found.push(Wrapping::Padding);
    }
    let token = unpadded.replace('+', "-").replace('/', "_");
    if token != unpadded {
        found.push(Wrapping::Alphabet);
    }
    (token, found)
}

type Strip = fn(&str) -> Option<&str>;

const OUTER: [(Wrapping, Strip); 4] = [
    (Wrapping::WhiteSpace, |text| Some(text.trim()).filter(|trimmed| trimmed.len() < text.len())),
    (Wrapping::HeaderName, |text| {
        const NAMES: [&str; 3] = ["authorization", "x-serverless-authorization", "x-goog-iap-jwt-assertion"];
        let (name, value) = text.split_once(':')?;
        NAMES.iter().any(|known| known.eq_ignore_ascii_case(name.trim())).then(|| value.trim_start())
    }),
    (Wrapping::Bearer, |text| {
        let (scheme, token) = text.split_once(char::is_whitespace)?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    }),
    (Wrapping::Quotes, |text| {
        let strip = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
        ['"', '\'', '`'].into_iter().find_map(strip)
    }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_copy_along_is_taken_away() {
        use Wrapping::*;
        let cases: &[(&str, &[Wrapping])] = &[
            ("a.b.c", &[]),
            ("a.b.c\n", &[WhiteSpace]),
            ("Bearer a.b.c", &[Bearer]),
            ("Authorization: bearer  a.b.c", &[HeaderName, Bearer]),
            ("\"Bearer a.b.c\"", &[Quotes, Bearer]),
            ("'a.b\n  .c'", &[Quotes, LineBreaks]),
            ("a=.b==.c", &[Padding]),
        ];
        for (text, wrappings) in cases {
            assert_eq!(peel(text), ("a.b.c".to_owned(), wrappings.to_vec()), "{text}");
        }
        assert_eq!(peel("a+.b/.c"), ("a-.b_.c".to_owned(), vec![Alphabet]));
        assert_eq!(peel("1//0g=="), ("1//0g==".to_owned(), vec![]));
        assert_eq!(peel(""), (String::new(), vec![]));
    }
}
