//! What people copy along with a token: the header's name, `Bearer`, quotes, line breaks, padding.

use crate::header::TOKEN_HEADERS;
use crate::quote::is_invisible;

/// Something around or within a token that does not belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrapping {
    Request,
    Invisible,
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
            Self::Request => "request",
            Self::Invisible => "invisible_characters",
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
            Self::Request => (
                "the text is a whole request with the token in one of its headers",
                "Look at the token alone; where a program is to take it, pass the word after Bearer.",
            ),
            Self::Invisible => (
                "there is a byte-order mark or another character that does not show before or after the token",
                "Save the file as UTF-8 without a byte-order mark, or take the characters away.",
            ),
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
    if let Some(value) = in_a_request(text) {
        (rest, found) = (value, vec![Wrapping::Request]);
    }
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

/// The token in a header of a whole request: as `curl -v` shows it, as it is on the wire, as a command line or as JSON.
fn in_a_request(text: &str) -> Option<&str> {
    // A token has no colon: a header's value that has one goes on with something else.
    let alone = OUTER.iter().fold(text, |rest, (_, strip)| strip(rest).unwrap_or(rest));
    if !alone.contains(':') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    // By precedence, as a receiver reads them.
    ["x-serverless-authorization", "authorization", "x-goog-iap-jwt-assertion"].iter().find_map(|name| {
        lower.match_indices(name).find_map(|(at, _)| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let is_whole = !lower.get(..at)?.ends_with(is_part);
            let value = text
                .get(at + name.len()..)?
                .trim_start_matches(['"', '\''])
                .trim_start()
                .strip_prefix(':')?;
            let mut words = value.trim_start_matches([' ', '\t', '"', '\'']).split_whitespace();
            let first = words.next().filter(|_| is_whole)?;
            let token = if name.ends_with("authorization") {
                words.next().filter(|_| first.eq_ignore_ascii_case("bearer"))?
            } else {
                first
            };
            token.split(['"', '\'', ',', '\\']).next().filter(|token| !token.is_empty())
        })
    })
}

type Strip = fn(&str) -> Option<&str>;

const OUTER: [(Wrapping, Strip); 5] = [
    (Wrapping::Invisible, |text| {
        Some(text.trim_matches(is_invisible)).filter(|trimmed| trimmed.len() < text.len())
    }),
    (Wrapping::WhiteSpace, |text| Some(text.trim()).filter(|trimmed| trimmed.len() < text.len())),
    (Wrapping::HeaderName, |text| {
        let (name, value) = text.split_once(':')?;
        TOKEN_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name.trim())).then(|| value.trim_start())
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
    fn the_token_of_a_whole_request_is_found() {
        for request in [
            "> GET /v1 HTTP/2\n> Host: a.run.app\n> authorization: Bearer a.b.c\n>\n< HTTP/2 401\n",
            "POST /push HTTP/1.1\r\nAuthorization: Bearer a.b.c\r\nHost: a\r\n\r\n{\"message\":{}}",
            "Authorization: Bearer a.b.c\nHost: a",
            "curl -H 'Authorization: Bearer a.b.c' https://a.example",
            "curl -H \"authorization:bearer a.b.c\" https://a.example",
            r#"{"headers": {"Authorization": "Bearer a.b.c", "Host": "a"}}"#,
            "Proxy-Authorization: Basic dTpw\nAuthorization: Bearer a.b.c",
            "Authorization: Basic dTpw\nX-Serverless-Authorization: Bearer a.b.c",
            "Authorization: Bearer d.e.f\nX-Serverless-Authorization: Bearer a.b.c",
            "GET / HTTP/1.1\nX-Goog-IAP-JWT-Assertion: a.b.c\nHost: a",
        ] {
            assert_eq!(peel(request), ("a.b.c".to_owned(), vec![Wrapping::Request]), "{request}");
        }
        for other in [
            "Proxy-Authorization: Bearer a.b.c\nHost: a",
            "Authorization: Basic dTpw\nHost: a",
            "see Authorization: Bearer",
            "http://authorization",
        ] {
            assert!(!peel(other).1.contains(&Wrapping::Request), "{other}");
        }
    }

    #[test]
    fn what_people_copy_along_is_taken_away() {
        use Wrapping::*;
        let cases: &[(&str, &[Wrapping])] = &[
            ("a.b.c", &[]),
            ("a.b.c\n", &[WhiteSpace]),
            ("\u{feff}a.b.c\r\n", &[Invisible, WhiteSpace]),
            ("Bearer \u{200b}a.b.c", &[Bearer, Invisible]),
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
