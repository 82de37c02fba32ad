//! The writer: an object is written member by member.

/// The JSON text of an object, under way.
pub struct Object(String);

/// The JSON text of an object with the members that `write` gives it.
pub fn object(write: impl FnOnce(&mut Object)) -> String {
    let mut object = Object("{".to_owned());
    write(&mut object);
    object.0.push('}');
    object.0
}

/// The JSON text of an array of these values, JSON themselves.
pub fn list(values: impl IntoIterator<Item = String>) -> String {
    let mut out = String::from("[");
    for value in values {
        separate(&mut out);
        out.push_str(&value);
    }
    out.push(']');
    out
}

/// The JSON text of an array of these strings.
pub fn texts<T: AsRef<str>>(texts: &[T]) -> String {
    list(texts.iter().map(|one| text(one.as_ref())))
}

impl Object {
    /// A member that is a string.
    pub fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.json(name, &self::text(text))
    }

    /// A member that is a string, or null.
    pub fn text_or_null(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        self.json(name, &text.map_or("null".to_owned(), self::text))
    }

    /// A member that is a number.
    pub fn number(&mut self, name: &str, number: u64) -> &mut Self {
        self.json(name, &number.to_string())
    }

    /// A member that is true or false.
    pub fn boolean(&mut self, name: &str, boolean: bool) -> &mut Self {
        self.json(name, if boolean { "true" } else { "false" })
    }

    /// A member whose value is JSON.
    pub fn json(&mut self, name: &str, value: &str) -> &mut Self {
        separate(&mut self.0);
        write_quoted(&mut self.0, name);
        self.0.push(':');
        self.0.push_str(value);
        self
    }
}

/// A comma, unless what follows is the first.
fn separate(out: &mut String) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
}

/// The JSON text of a string.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(&mut out, text);
    out
}

fn write_quoted(out: &mut String, mut text: &str) {
    out.push('"');
    let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    while let Some((plain, rest)) = text.bytes().position(is_escaped).and_then(|at| text.split_at_checked(at))
    {
        out.push_str(plain);
        let mut rest = rest.chars();
        match rest.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(control) if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
        text = rest.as_str();
    }
    out.push_str(text);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_does(text in any::<String>(), rest in "[\\x00-\\x7f]{0,20}") {
            for text in [text, rest] {
                prop_assert_eq!(super::text(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn objects_and_arrays_are_written_as_they_are_given() {
        let inner = object(|_| {});
        let written = object(|object| {
            object.text("a", "{").text_or_null("b", None).number("c", u64::MAX).boolean("d", false);
            object.json("e", &inner).json("f", &texts::<&str>(&[])).json("g", &texts(&["[", "\""]));
            object.json("h", &list([list([]), list(["1".to_owned(), "2".to_owned()])]));
        });
        assert_eq!(
            written,
            r#"{"a":"{","b":null,"c":18446744073709551615,"d":false,"e":{},"f":[],"g":["[","\""],"h":[[],[1,2]]}"#
        );
    }
}
