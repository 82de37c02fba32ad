//! Making the mistakes in a language, and what it says to them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::cases::{AUDIENCE, MISTAKES, Mistake, Way, World};
use crate::checkout::Checkout;
use crate::emulator::Emulator;
use crate::failure::{Failure, Result};
use crate::languages::{Language, log, read};
use crate::process::Program;

/// Who is asked; all but the last are languages.
pub(super) const ASKED: [&str; 5] = ["python", "node", "go", "java", SHELL];
const SHELL: &str = "shell";

/// Stands for the user's own folder in paths; nothing is there.
const HOME: &str = "/home/you";
const LIMIT: Duration = Duration::from_secs(120);

/// What somebody says to a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    /// Who was asked.
    pub(super) of: &'static str,
    pub(super) said: Said,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// An error of gatepass.
    Code(String, String),
    /// An error of another kind: which, and what it says.
    Other(String, String),
    /// The mistake cannot be made, and why.
    Nothing(&'static str),
}

/// All that the mistakes are made with.
pub(super) struct Asker<'a> {
    checkout: &'a Checkout,
    emulator: Emulator,
    /// One whose environment is kept, and which is not there any more.
    ended: Vec<(String, String)>,
    tokens: BTreeMap<&'static str, String>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(checkout: &'a Checkout) -> Result<Self> {
        let start = || Emulator::start(checkout, &[], &log(checkout, "mistakes-emulator")?);
        let ended = start()?.environment().to_vec();
        let emulator = start()?;
        let in_two_hours = unix_seconds() + 2 * 3600;
        let orders = [
            ("good", json!({"claims": {"aud": AUDIENCE}})),
            ("other_audience", json!({"claims": {"aud": "https://shop.example"}})),
            ("trailing_slash", json!({"claims": {"aud": format!("{AUDIENCE}/")}})),
            ("issued_in_two_hours", json!({"claims": {"aud": AUDIENCE}, "issued_at": in_two_hours})),
        ];
        let tokens = orders.iter().map(|(name, order)| Ok((*name, emulator.mint(order)?)));
        let tokens = tokens.collect::<Result<_>>()?;
        Ok(Self { checkout, emulator, ended, tokens })
    }

    /// Has all mistakes made; the answers are in their order.
    pub(super) fn all(&self, of: &'static str) -> Result<Vec<Answer>> {
        let mut said = self.by_program(of)?;
        let answers = MISTAKES.iter().map(|mistake| {
            let way = mistake.ways.iter().find(|(asked, _)| *asked == of);
            let said = match way.map(|(_, way)| way) {
                None => said
                    .remove(mistake.name)
                    .ok_or_else(|| Failure::new(format!("{of} says nothing to {}", mistake.name)))?,
                Some(Way::Compiler(what)) => self.by_compiler(of, what)?,
                Some(Way::Shell(arguments)) => self.by_shell(mistake, arguments)?,
                Some(Way::Never(why)) => Said::Nothing(why),
            };
            Ok(Answer { of, said: said.settled() })
        });
        answers.collect()
    }

    /// Runs the language's program once for each world; gives its answers by the mistake's name.
    fn by_program(&self, of: &str) -> Result<BTreeMap<String, Said>> {
        let mut answers = BTreeMap::new();
        let Some(mistakes) = Language::named(of).and_then(|language| language.mistakes.as_ref()) else {
            return Ok(answers);
        };
        for world in World::ALL {
            let is_asked =
                |one: &&Mistake| one.world == world && !one.ways.iter().any(|(asked, _)| *asked == of);
            let names: Vec<_> = MISTAKES.iter().filter(is_asked).map(|one| one.name).collect();
            let order = json!({
                "mistakes": names, "audience": AUDIENCE, "tokens": self.tokens, "url": self.emulator.url(),
            });
            let program = self.within(world, (mistakes.program)(self.checkout)).arg(order.to_string());
            let log = log(self.checkout, &format!("{of}-mistakes"))?;
            let (output, end) = program.read(&log, LIMIT);
            end.map_err(|failure| failure.with_output(output.clone() + &read(&log)))?;
            let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            for line in lines {
                let text = |name| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let said = match line.get("code").and_then(Value::as_str) {
                    Some(code) => Said::Code(code.to_owned(), text("message")),
                    None => Said::Other(text("type"), text("message")),
                };
                answers.insert(text("mistake"), said);
            }
        }
        Ok(answers)
    }

    fn by_compiler(&self, of: &str, what: &str) -> Result<Said> {
        let compiler = Language::named(of).and_then(|language| language.mistakes.as_ref()?.compiler);
        let compiler = compiler.ok_or_else(|| Failure::new(format!("{of} has no compiler")))?;
        let log = log(self.checkout, &format!("{of}-mistakes"))?;
        let (output, end) = (compiler.program)(self.checkout, what).read(&log, LIMIT);
        let output = output + &read(&log);
        match end {
            Ok(()) => Err(Failure::new(format!("{what} of tests/mistakes/{of} compiles"))),
            Err(_) => Ok(Said::Other(compiler.name.to_owned(), of_compiler(&output))),
        }
    }

    fn by_shell(&self, mistake: &Mistake, arguments: &[&str]) -> Result<Said> {
        let fill = |argument: &&str| {
            let with_url = argument.replace("{url}", self.emulator.url());
            self.tokens
                .iter()
                .fold(with_url, |text, (name, token)| text.replace(&format!("{{{name}}}"), token))
        };
        let program = self.within(mistake.world, self.checkout.program(self.checkout.cli()));
        let program = arguments.iter().map(fill).fold(program, Program::arg);
        let log = log(self.checkout, "shell-mistakes")?;
        let (output, end) = program.read(&log, LIMIT);
        match end {
            Ok(()) => Ok(Said::Other(NO_ERROR.to_owned(), output)),
            Err(_) => Ok(of_shell(&(output + &read(&log)))),
        }
    }

    fn within(&self, world: World, program: Program) -> Program {
        let program = program.env("HOME", HOME).env("CLOUDSDK_CONFIG", format!("{HOME}/.config/gcloud"));
        match world {
            World::Nowhere => program.env("NO_GCE_CHECK", "true"),
            World::NoFile => program.env("GOOGLE_APPLICATION_CREDENTIALS", format!("{HOME}/key.json")),
            World::Ended => {
                self.ended.iter().fold(program, |program, (name, value)| program.env(name, value))
            }
            World::Emulator => self.emulator.show_to(program),
        }
    }
}

/// Said by a program that does not take a mistake for one.
pub(super) const NO_ERROR: &str = "no error";

impl Said {
    /// What is the same each time: of what varies, a word for it.
    fn settled(self) -> Self {
        match self {
            Self::Code(code, message) => Self::Code(code, settled(&message)),
            Self::Other(kind, message) => Self::Other(kind, settled(&message)),
            Self::Nothing(why) => Self::Nothing(why),
        }
    }
}

/// The text on one line, with PORT for a port of this machine's, TIME for a moment and N for a number of seconds.
fn settled(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut rest = line.as_str();
    while let Some((before, after)) = rest.split_once("127.0.0.1:") {
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        out += before;
        out += "127.0.0.1:PORT";
        rest = after.get(digits..).unwrap_or_default();
    }
    out += rest;
    let words: Vec<&str> = out.split(' ').collect();
    let settled = words.iter().enumerate().map(|(index, word)| {
        let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        let is_number = !shape.is_empty() && shape.bytes().all(|b| b == b'9');
        match shape.as_str() {
            "9999-99-99T99:99:99Z" => "TIME",
            _ if is_number && words.get(index + 1) == Some(&"s") => "N",
            _ => word,
        }
    });
    settled.collect::<Vec<_>>().join(" ")
}

/// The first error of a compiler, without place and excerpt: of javac with the lines `symbol:` and `location:`.
fn of_compiler(output: &str) -> String {
    let is_error = |line: &&str| line.contains(".java:") || line.contains(".go:");
    let Some(error) = output.lines().find(is_error) else { return output.to_owned() };
    // file:line: error: text, or file:line:column: text
    let text = error.splitn(4, ':').nth(3).unwrap_or(error).trim().to_owned();
    let more = output.lines().map(str::trim);
    let more = more.filter(|line| line.starts_with("symbol:") || line.starts_with("location:"));
    more.fold(text, |text, line| text + "; " + line)
}

/// What the `gatepass` program says, without its own name, the warning of an emulator, and the usage that clap adds.
fn of_shell(output: &str) -> Said {
    let output = output.split("\n\nUsage:").next().unwrap_or_default();
    let lines = output.lines().filter(|line| !line.starts_with("gatepass: warning: "));
    let output = lines.collect::<Vec<_>>().join("\n");
    let text = output.trim().trim_start_matches("gatepass: ");
    let text = text.trim_start_matches("refused: ").trim_start_matches("undecided: ");
    match text.split_once(": ") {
        Some((code, message)) if code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => {
            Said::Code(code.to_owned(), message.to_owned())
        }
        _ => Said::Other("error".to_owned(), text.trim_start_matches("error: ").to_owned()),
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_settled() {
        assert_eq!(
            settled("no answer from http://127.0.0.1:34567/a\n7190 s ago, at 2026-11-29T14:35:01Z"),
            "no answer from http://127.0.0.1:PORT/a N s ago, at TIME"
        );
        assert_eq!(settled("127.0.0.1:1, 127.0.0.1:22"), "127.0.0.1:PORT, 127.0.0.1:PORT");
        assert_eq!(settled("an id of 20 characters"), "an id of 20 characters");
    }

    #[test]
    fn of_a_compiler_the_error_is_left() {
        let javac = "tests/Typo.java:5: error: cannot find symbol\n  return a.b();\n    ^\n  symbol:   method b()\n\
                     \x20 location: class A\n1 error\n";
        assert_eq!(of_compiler(javac), "cannot find symbol; symbol:   method b(); location: class A");
        assert_eq!(of_compiler("# p/typo\ntypo/typo.go:7:34: undefined: a.B\n"), "undefined: a.B");
    }

    #[test]
    fn of_the_program_the_code_is_told_from_the_message() {
        let code = |code: &str, message: &str| Said::Code(code.to_owned(), message.to_owned());
        assert_eq!(of_shell("refused: BAD_AUDIENCE: a: b\n"), code("BAD_AUDIENCE", "a: b"));
        assert_eq!(of_shell("gatepass: TIMEOUT: a\ngatepass: warning: b\n"), code("TIMEOUT", "a"));
        let other = Said::Other("error".to_owned(), "unexpected argument '--a' found".to_owned());
        assert_eq!(of_shell("error: unexpected argument '--a' found\n\nUsage: gatepass verify\n"), other);
    }
}
