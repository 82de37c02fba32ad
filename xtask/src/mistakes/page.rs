//! The answers in Markdown.

use super::answers::{Answer, Said};
use super::cases::{MISTAKES, Mistake};

/// What the page begins with.
const HEAD: &str = "\
# Twenty mistakes

What gatepass says when something is not as it should be. The programs in [tests/mistakes](../tests/mistakes) make these
mistakes, and this page is what they got for them: `cargo xtask mistakes --update` writes it, and a test fails when the
answers are others. Of what varies, PORT, TIME and N (seconds) are here; `/home/you` is the user's own folder.

A code is an error of gatepass: `GatepassError` and its subclasses with `code` in Python and JavaScript, `*gatepass.Error`
with `Code` in Go, `GatepassException` with `code()` in Java. Rust and C have the same codes and messages. In a shell the
`gatepass` program prints it, and ends with a status other than 0. Where the language itself answers, it is the name of its
own error, or of the compiler.

";

/// The whole page, of each mistake's answers.
pub(super) fn text(answers: &[Vec<Answer>]) -> String {
    let mut text = format!("{HEAD}| mistake | answer |\n| --- | --- |\n");
    for (mistake, answers) in MISTAKES.iter().zip(answers) {
        let labels = grouped(answers, label).into_iter().filter(|(label, _)| label != NOTHING);
        let labels: Vec<_> = labels.collect();
        let labels = labels.iter().map(|(label, names)| match labels.len() {
            1 => label.clone(),
            _ => format!("{label} in {names}"),
        });
        let labels = labels.collect::<Vec<_>>().join("; ");
        text += &format!("| [{}](#{}) | {labels} |\n", mistake.title, anchor(mistake.title));
    }
    MISTAKES
        .iter()
        .zip(answers)
        .fold(text, |text, (mistake, answers)| text + "\n" + &section(mistake, answers))
}

/// A mistake and what is said to it; who says the same is named together.
pub(super) fn section(mistake: &Mistake, answers: &[Answer]) -> String {
    let mut text = format!("## {}\n\n{}\n\n| | answer |\n| --- | --- |\n", mistake.title, mistake.what);
    for (said, names) in grouped(answers, said) {
        text += &format!("| {names} | {said} |\n");
    }
    text
}

/// Who gives the same, in the order of the first.
fn grouped(answers: &[Answer], what: impl Fn(&Said) -> String) -> Vec<(String, String)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for answer in answers {
        let said = what(&answer.said);
        let name = name_of(answer.of);
        match groups.iter_mut().find(|(known, _)| *known == said) {
            Some((_, names)) => names.push(name),
            None => groups.push((said, vec![name])),
        }
    }
    groups.into_iter().map(|(said, names)| (said, names.join(", "))).collect()
}

const NOTHING: &str = "–";

fn label(said: &Said) -> String {
    match said {
        Said::Code(code, _) => format!("`{code}`"),
        Said::Other(kind, _) => format!("`{kind}`"),
        Said::Nothing(_) => NOTHING.to_owned(),
    }
}

fn said(said: &Said) -> String {
    match said {
        Said::Code(_, message) | Said::Other(_, message) => format!("{}: {}", label(said), escaped(message)),
        Said::Nothing(why) => format!("{NOTHING} ({why})"),
    }
}

/// The text with nothing in it that Markdown takes for its own, but for code in backticks.
fn escaped(text: &str) -> String {
    let (mut out, mut is_code) = (String::new(), false);
    for c in text.chars() {
        is_code ^= c == '`';
        match c {
            '|' => out += "\\|",
            c if is_code => out.push(c),
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '*' | '_' | '[' | ']' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn name_of(asked: &str) -> &str {
    match asked {
        "python" => "Python",
        "node" => "JavaScript",
        "go" => "Go",
        "java" => "Java",
        other => other,
    }
}

/// The fragment that leads to a heading, as GitHub and MkDocs both make it of letters and spaces.
fn anchor(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn who_says_the_same_is_named_together() {
        let code = |message: &str| Said::Code("BAD".to_owned(), message.to_owned());
        let answers = [
            Answer { of: "python", said: code("a | b") },
            Answer { of: "go", said: Said::Nothing("it cannot") },
            Answer { of: "shell", said: code("a | b") },
        ];
        let text = section(&MISTAKES[0], &answers);
        assert!(text.contains("| Python, shell | `BAD`: a \\| b |\n| Go | – (it cannot) |\n"), "{text}");
    }
}
