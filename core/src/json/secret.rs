//! A whole document as a [`Value`], by a reader that leaves no copies behind: credential files hold keys, and what serde_json
//! unescapes goes through a buffer that nobody wipes.

use super::{JsonError, MAX_DEPTH, Value};

/// Reads one value and nothing after it.
pub(super) fn read(text: &[u8]) -> Result<Value, JsonError> {
    let mut reader = Reader { rest: super::utf8(text)? };
    let value = reader.value(0)?;
    reader.skip_blanks();
    if reader.rest.is_empty() { Ok(value) } else { Err(JsonError::Syntax) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.skip_blanks();
        match self.rest.bytes().next() {
            None => Err(JsonError::Truncated),
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.object(deeper(depth)?),
            Some(b'[') => self.array(deeper(depth)?),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.skip(1);
        let mut members: Vec<(String, Value)> = Vec::new();
        if !self.takes(b'}')? {
            loop {
                self.skip_blanks();
                match self.rest.bytes().next() {
                    None => return Err(JsonError::Truncated),
                    Some(b'"') => {}
                    Some(_) => return Err(JsonError::Syntax),
                }
                let name = self.string()?;
                if !self.takes(b':')? {
                    return Err(JsonError::Syntax);
                }
                members.push((name, self.value(depth)?));
                if self.takes(b'}')? {
                    break;
                }
                if !self.takes(b',')? {
                    return Err(JsonError::Syntax);
                }
            }
        }
        let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.iter().zip(names.iter().skip(1)).any(|(a, b)| a == b) {
            return Err(JsonError::Syntax);
        }
        Ok(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.skip(1);
        let mut items = Vec::new();
        if !self.takes(b']')? {
            loop {
                items.push(self.value(depth)?);
                if self.takes(b']')? {
                    break;
                }
                if !self.takes(b',')? {
                    return Err(JsonError::Syntax);
                }
            }
        }
        Ok(Value::Array(items))
    }

    /// A string, in one allocation that is never moved: an escape is never shorter than what it means.
    fn string(&mut self) -> Result<String, JsonError> {
        self.skip(1);
        let end = self.end_of_string()?;
        let mut out = Value::String(String::with_capacity(end));
        let Value::String(text) = &mut out else { return Err(JsonError::Syntax) };
        let (mut raw, after) = self.rest.split_at_checked(end).ok_or(JsonError::Truncated)?;
        while let Some((plain, escaped)) = raw.split_once('\\') {
            text.push_str(plain);
            let (c, length) = unescaped(escaped)?;
            text.push(c);
            raw = escaped.get(length..).ok_or(JsonError::Syntax)?;
        }
        text.push_str(raw);
        let text = std::mem::take(text);
        self.rest = after.strip_prefix('"').ok_or(JsonError::Truncated)?;
        Ok(text)
    }

    /// The length of what is before the closing quote.
    fn end_of_string(&self) -> Result<usize, JsonError> {
        let mut is_escaped = false;
        for (index, byte) in self.rest.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => return Ok(index),
                0..=0x1f => return Err(JsonError::Syntax),
                _ => {}
            }
        }
        Err(JsonError::Truncated)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let is_of_number = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
        let length = self.rest.bytes().take_while(|b| is_of_number(*b)).count();
        let text = self.rest.get(..length).unwrap_or_default();
        if !is_number(text) {
            let goes_on = length == self.rest.len() && text.ends_with(['-', '+', '.', 'e', 'E']);
            return Err(if goes_on { JsonError::Truncated } else { JsonError::Syntax });
        }
        // The standard library would bring tables of its own, which a browser would have to download.
        let number = super::value(text.as_bytes())?;
        self.skip(length);
        Ok(number)
    }

    fn word(&mut self) -> Result<Value, JsonError> {
        for (word, value) in
            [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
        {
            if self.rest.starts_with(word) {
                self.skip(word.len());
                return Ok(value);
            }
            if word.starts_with(self.rest) {
                return Err(JsonError::Truncated);
            }
        }
        Err(JsonError::Syntax)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes this character, if it is the next after blanks.
    fn takes(&mut self, byte: u8) -> Result<bool, JsonError> {
        self.skip_blanks();
        let next = self.rest.bytes().next().ok_or(JsonError::Truncated)?;
        if next == byte {
            self.skip(1);
        }
        Ok(next == byte)
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

fn deeper(depth: usize) -> Result<usize, JsonError> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(JsonError::TooDeep) }
}

/// The character of an escape, and how long it is after its backslash.
fn unescaped(escape: &str) -> Result<(char, usize), JsonError> {
    let c = match escape.bytes().next() {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return code_point(escape),
        _ => return Err(JsonError::Syntax),
    };
    Ok((c, 1))
}

/// `uXXXX`, or two of them that are a surrogate pair.
fn code_point(escape: &str) -> Result<(char, usize), JsonError> {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(JsonError::Syntax)
    };
    let first = unit(1)?;
    if let Some(c) = char::from_u32(first) {
        return Ok((c, 5));
    }
    let second = if escape.get(5..7) == Some(r"\u") { unit(7)? } else { 0 };
    let is_pair = (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second);
    let code = is_pair.then(|| 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
    code.and_then(char::from_u32).map(|c| (c, 11)).ok_or(JsonError::Syntax)
}

/// RFC 8259, section 6.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// serde_json's own reading; `None` where it refuses, or where names are repeated.
    fn by_serde(text: &[u8]) -> Option<Value> {
        super::super::value(text).ok()
    }

    proptest! {
        #[test]
        fn it_reads_as_serde_json_does(
            text in r#"[ ]{0,2}(\{|\[|"|-|[0-9.eE+]|\\|u|[a-f]|n|null|true|:|,|\}|\]|\\u[dD][89abAB][0-9a-f]{2}|\\n|é|😀|"a":|"b":){0,12}"#
        ) {
            prop_assert_eq!(read(text.as_bytes()).ok(), by_serde(text.as_bytes()));
        }

        #[test]
        fn it_reads_strings_as_serde_json_does(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(read(json.as_bytes()), Ok(Value::String(text)));
        }
    }

    #[test]
    fn documents_are_read_strictly() {
        for (text, expected) in [
            (&br#"{"a":[1,-2.5e1,true,null,"\u0041\ud83d\ude00\n"],"b":{}}"#[..], None),
            (b" 1 ", None),
            (b"", Some(JsonError::Truncated)),
            (br#"{"a":1"#, Some(JsonError::Truncated)),
            (br#"{"a""#, Some(JsonError::Truncated)),
            (br#"["a"#, Some(JsonError::Truncated)),
            (b"tru", Some(JsonError::Truncated)),
            (b"-", Some(JsonError::Truncated)),
            (b"\"\xc3", Some(JsonError::Truncated)),
            (b"\"\xc3\"", Some(JsonError::Syntax)),
            (b"[-]", Some(JsonError::Syntax)),
            (b"[1.]", Some(JsonError::Syntax)),
            (b"[1.e5]", Some(JsonError::Syntax)),
            (b"[.5]", Some(JsonError::Syntax)),
            (b"[1e]", Some(JsonError::Syntax)),
            (br#"{"a":1,"\u0061":2}"#, Some(JsonError::Syntax)),
            (br#""\ud800""#, Some(JsonError::Syntax)),
            (br#""\udc00\ud800""#, Some(JsonError::Syntax)),
            (br#""\u+041""#, Some(JsonError::Syntax)),
            (b"\"\n\"", Some(JsonError::Syntax)),
            (b"{} {}", Some(JsonError::Syntax)),
            (b"01", Some(JsonError::Syntax)),
            (b"[1,]", Some(JsonError::Syntax)),
            (b"NaN", Some(JsonError::Syntax)),
            (b"1e400", Some(JsonError::NumberRange)),
            (b"\"\xff\"", Some(JsonError::Syntax)),
            (b"\xef\xbb\xbf{}", Some(JsonError::Syntax)),
        ] {
            assert_eq!(read(text).err(), expected, "{}", String::from_utf8_lossy(text));
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(deep(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(read(deep(MAX_DEPTH + 1).as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(read(&[b'['; 1_000_000]), Err(JsonError::TooDeep));
    }

    #[test]
    fn escapes_are_what_rfc_8259_says() {
        let text = r#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud800\udc00\ud83d\ude00\udbff\udfff""#;
        let expected = "\"\\/\u{8}\u{c}\n\r\tAé€\u{10000}😀\u{10ffff}";
        assert_eq!(read(text.as_bytes()), Ok(Value::String(expected.to_owned())));
    }
}
