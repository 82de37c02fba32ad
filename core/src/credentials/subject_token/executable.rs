//! `{"executable": …}`: a program of the user's that prints a subject token. Run without a shell, and only if the
//! environment allows it: a credential file must not be able to start a program by itself.

use crate::credentials::fields::{Fields, invalid};
use crate::credentials::subject_token::failed;
use crate::environment::{self, Environment};
use crate::error::{Error, ErrorCode};
use crate::exchange::printable;
use crate::json::{self, Value};
use crate::secret::Secret;
use crate::step::{HostFailure, Millis, Now, Operation, Reply, Step};

/// Milliseconds: default, and the bounds that AIP-4117 sets.
const TIMEOUT_MS: (u32, u32, u32) = (30_000, 5_000, 120_000);

#[derive(Clone)]
pub(crate) struct Source {
    argv: Vec<String>,
    timeout_ms: u64,
    output_file: Option<String>,
}

impl Source {
    pub(crate) fn from_fields(fields: Fields<'_>) -> Result<Self, Error> {
        let argv = words(fields.required("command")?)
            .ok_or_else(|| invalid("command", "a text with an open quote", "each quote to be closed"))?;
        if argv.first().is_none_or(String::is_empty) {
            return Err(invalid("command", "blank", "a program and its arguments"));
        }
        let (default, shortest, longest) = TIMEOUT_MS;
        let timeout_ms = match fields.number("timeout_millis")? {
            None => u64::from(default),
            Some(millis) if millis >= f64::from(shortest) && millis <= f64::from(longest) => millis as u64,
            Some(_) => {
                return Err(invalid("timeout_millis", "out of bounds", &format!("{shortest} to {longest}")));
            }
        };
        let output_file = fields.optional("output_file")?.filter(|path| !path.is_empty()).map(str::to_owned);
        Ok(Self { argv, timeout_ms, output_file })
    }
}

pub(crate) struct Run {
    source: Source,
    env: Vec<(String, String)>,
    state: State,
}

enum State {
    Created,
    /// Asking whether programs may be run at all.
    Asking,
    ReadingOutputFile,
    Running,
    /// The program has ended and printed nothing: its answer may be in its output file.
    ReadingResult,
}

impl Run {
    pub(crate) fn new(source: Source, audience: &str, token_type: &str, email: Option<String>) -> Self {
        let variable =
            |name: &str, value: &str| (format!("GOOGLE_EXTERNAL_ACCOUNT_{name}"), value.to_owned());
        let mut env = vec![
            variable("AUDIENCE", audience),
            variable("TOKEN_TYPE", token_type),
            variable("INTERACTIVE", "0"),
        ];
        env.extend(email.map(|email| variable("IMPERSONATED_EMAIL", &email)));
        env.extend(source.output_file.as_deref().map(|path| variable("OUTPUT_FILE", path)));
        Self { source, env, state: State::Created }
    }

    fn run(&mut self) -> Step<Secret<String>> {
        self.state = State::Running;
        let Source { argv, timeout_ms, .. } = &self.source;
        Step::Run { argv: argv.clone(), env: self.env.clone(), timeout_ms: *timeout_ms }
    }

    fn read_file(&mut self, path: String, then: State) -> Step<Secret<String>> {
        self.state = then;
        Step::read_file(path)
    }
}

impl Operation for Run {
    type Output = Secret<String>;

    fn resume(&mut self, now: Now, reply: Reply) -> Step<Secret<String>> {
        let output_file = self.source.output_file.clone();
        match (&self.state, reply) {
            (State::Created, Reply::Start) => {
                self.state = State::Asking;
                Step::ReadEnv { names: environment::OF_EXECUTABLES }
            }
            (State::Asking, Reply::Env(values)) => {
                match Environment::new(values).var(environment::ALLOW_EXECUTABLES) == Some("1") {
                    false => Step::Fail(Error::new(
                        ErrorCode::ExecutableNotAllowed,
                        "the credential file wants to run a program, and the environment does not allow it",
                    )),
                    true => match output_file {
                        Some(path) => self.read_file(path, State::ReadingOutputFile),
                        None => self.run(),
                    },
                }
            }
            (State::ReadingOutputFile, Reply::Failed { .. }) => self.run(),
            // A program writes its last answer there: a good one is used, an old or failed one asked for again.
            (State::ReadingOutputFile, Reply::Text(text)) => match Answer::parse(text.expose().as_bytes()) {
                Ok(answer) if answer.expires_at.is_some_and(|at| at > now.unix) => Step::Done(answer.token),
                Ok(_) | Err(Refusal::Failed(_)) => self.run(),
                Err(Refusal::Malformed(error)) => Step::Fail(error),
            },
            (State::Running, Reply::Exited { status, stdout, stderr }) => {
                let is_silent = stdout.expose().trim_ascii().is_empty();
                match (status, output_file) {
                    (0, Some(path)) if is_silent => self.read_file(path, State::ReadingResult),
                    (0, _) => finish(stdout.expose(), &stderr, now.unix),
                    (status, _) => Step::Fail(refusal_of(status, stdout.expose(), &stderr)),
                }
            }
            (State::Running, Reply::Failed { kind: HostFailure::Timeout, .. }) => {
                Step::Fail(failed("the program for the subject token ran out of time"))
            }
            (State::Running, Reply::Failed { kind: HostFailure::Unsupported, message }) => {
                Step::Fail(Error::new(ErrorCode::Unsupported, printable(&message)))
            }
            (State::Running, Reply::Failed { message, .. }) => Step::Fail(failed(format!(
                "the program for the subject token did not run: {}",
                printable(&message)
            ))),
            (State::ReadingResult, Reply::Text(text)) => {
                finish(text.expose().as_bytes(), &Secret::default(), now.unix)
            }
            (State::ReadingResult, Reply::Failed { .. }) => Step::Fail(failed(
                "the program for the subject token printed nothing and left no output file, expected its answer as JSON",
            )),
            (State::Created, other) => Step::misuse("Start", &other),
            (State::Asking, other) => Step::misuse("Env", &other),
            (State::Running, other) => Step::misuse("Exited or Failed", &other),
            (_, other) => Step::misuse("Text or Failed", &other),
        }
    }
}

fn finish(text: &[u8], stderr: &Secret<Vec<u8>>, now: Millis) -> Step<Secret<String>> {
    match Answer::parse(text) {
        Ok(Answer { expires_at: Some(at), .. }) if at <= now => {
            Step::Fail(failed("the program's answer holds a subject token that has expired"))
        }
        Ok(answer) => Step::Done(answer.token),
        Err(Refusal::Failed(error)) => Step::Fail(error),
        Err(Refusal::Malformed(error)) => Step::Fail(with_complaint(error, stderr)),
    }
}

/// The error of a program that ended with another status than 0: its own answer's, if it printed one.
fn refusal_of(status: i32, stdout: &[u8], stderr: &Secret<Vec<u8>>) -> Error {
    let by_status =
        || failed(format!("the program for the subject token ended with status {status}, expected 0"));
    match Answer::parse(stdout) {
        Err(Refusal::Failed(error)) => with_complaint(error, stderr),
        _ => with_complaint(by_status(), stderr),
    }
}

/// The same error with the end of what the program wrote to standard error: its last lines say what went wrong.
fn with_complaint(error: Error, stderr: &Secret<Vec<u8>>) -> Error {
    const LINES: usize = 3;
    let text = String::from_utf8_lossy(stderr.expose());
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    match printable(&last.join(" | ")) {
        complaint if complaint.is_empty() => error,
        complaint => failed(format!("{}; it wrote to standard error: {complaint}", error.detail())),
    }
}

/// The words of a command, as a POSIX shell splits them, and nothing else that a shell does; `None` where a quote is
/// open. A backslash before any other character than white space, a quote or a backslash is itself, as in the paths of
/// Windows.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word): (Vec<String>, Option<String>) = (Vec::new(), None);
    let mut rest = command.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' => loop {
                let word = word.get_or_insert_default();
                match rest.next()? {
                    '\'' => break,
                    c => word.push(c),
                }
            },
            '"' => loop {
                let word = word.get_or_insert_default();
                match rest.next()? {
                    '"' => break,
                    '\\' => word.push(rest.next_if(|next| matches!(next, '"' | '\\')).unwrap_or('\\')),
                    c => word.push(c),
                }
            },
            '\\' => {
                let is_escaped =
                    |next: &char| next.is_ascii_whitespace() || matches!(next, '"' | '\'' | '\\');
                let c = rest.next_if(is_escaped).unwrap_or('\\');
                word.get_or_insert_default().push(c);
            }
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// What the program printed (AIP-4117, "Executable-sourced credentials").
struct Answer {
    token: Secret<String>,
    expires_at: Option<Millis>,
}

enum Refusal {
    /// The program says that it failed.
    Failed(Error),
    Malformed(Error),
}

impl Answer {
    fn parse(text: &[u8]) -> Result<Self, Refusal> {
        let malformed = |found: &str| Refusal::Malformed(failed(format!("the program's answer {found}")));
        let [version, success, token_type, id_token, saml_response, expiration_time, code, message] =
            json::members(
                text,
                [
                    "version",
                    "success",
                    "token_type",
                    "id_token",
                    "saml_response",
                    "expiration_time",
                    "code",
                    "message",
                ],
            )
            .map_err(|error| malformed(&format!("is {error}, expected a JSON object")))?;
        if version != Some(Value::Number(1.0)) {
            return Err(malformed("has another version than 1"));
        }
        let text_of = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        match success {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => {
                let (Some(code), Some(message)) = (text_of(&code), text_of(&message)) else {
                    return Err(malformed("says that it failed, without code and message"));
                };
                let found = format!(
                    "the program for the subject token failed with {}: {}",
                    printable(&code),
                    printable(&message)
                );
                return Err(Refusal::Failed(failed(found)));
            }
            _ => return Err(malformed("does not say whether it succeeded")),
        }
        let token = match text_of(&token_type).as_deref() {
            Some("urn:ietf:params:oauth:token-type:jwt" | "urn:ietf:params:oauth:token-type:id_token") => {
                text_of(&id_token)
            }
            Some("urn:ietf:params:oauth:token-type:saml2") => text_of(&saml_response),
            _ => return Err(malformed("has another token_type than jwt, id_token or saml2")),
        };
        let expires_at = match expiration_time {
            None => None,
            Some(Value::Number(seconds)) if (0.0..1e12).contains(&seconds) => {
                Some(Millis::from_secs(seconds as u64))
            }
            Some(_) => return Err(malformed("has an expiration_time that is no number of seconds")),
        };
        let token = token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| malformed("holds no token of its token_type"))?;
        Ok(Self { token: Secret::new(token), expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_splits_it() {
        let cases: &[(&str, &[&str])] = &[
            ("/bin/token --json", &["/bin/token", "--json"]),
            ("  a\t b\n", &["a", "b"]),
            (r#""/opt/my tools/token" --name 'a b'"#, &["/opt/my tools/token", "--name", "a b"]),
            (r"/opt/my\ tools/token", &["/opt/my tools/token"]),
            (r#"a"b c"d'e f'"#, &["ab cde f"]),
            (r#"a "" ''"#, &["a", "", ""]),
            (r#""say \"hi\" \n" '\"'"#, &[r#"say "hi" \n"#, r#"\""#]),
            (r"C:\tools\token.exe -x", &[r"C:\tools\token.exe", "-x"]),
            ("a; rm -rf $HOME `b` > c", &["a;", "rm", "-rf", "$HOME", "`b`", ">", "c"]),
            ("", &[]),
        ];
        for (command, expected) in cases {
            assert_eq!(words(command).unwrap(), *expected, "{command}");
        }
        for open in ["a 'b", "a \"b", r#"a "b\"#] {
            assert_eq!(words(open), None, "{open}");
        }
    }

    #[test]
    fn what_the_program_complained_about_is_shown_short_and_without_a_token() {
        let stderr = format!("a\nb\n\nTraceback\n  at x\nlogin as eyJ{}\n", "x".repeat(50));
        let error = with_complaint(failed("it failed"), &Secret::new(stderr.into_bytes()));
        assert_eq!(
            error.detail(),
            "it failed; it wrote to standard error: Traceback | at x | login as [redacted]"
        );
        assert_eq!(with_complaint(failed("it failed"), &Secret::default()), failed("it failed"));
    }

    fn parsed(answer: &str) -> Option<(String, Option<u64>)> {
        let answer = Answer::parse(answer.as_bytes()).ok()?;
        Some((answer.token.expose().clone(), answer.expires_at.map(Millis::as_secs)))
    }

    #[test]
    fn answers_are_read_as_aip_4117_says() {
        let with = |rest: &str| {
            format!(r#"{{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:{rest}}}"#)
        };
        for (rest, expected) in [
            (r#"jwt","id_token":"t""#, Some(("t", None))),
            (r#"id_token","id_token":"t","expiration_time":1800000000"#, Some(("t", Some(1_800_000_000)))),
            (r#"saml2","saml_response":"s""#, Some(("s", None))),
            (r#"saml2","id_token":"t""#, None),
            (r#"jwt","id_token":"""#, None),
            (r#"jwt","id_token":"t","expiration_time":-1"#, None),
            (r#"jwt","id_token":"t","expiration_time":1e12"#, None),
            (r#"jwt","id_token":"t","expiration_time":"1800000000""#, None),
        ] {
            let expected = expected.map(|(token, at)| (token.to_owned(), at));
            assert_eq!(parsed(&with(rest)), expected, "{rest}");
        }
    }

    #[test]
    fn a_program_that_failed_is_quoted_whatever_its_status() {
        let answer = br#"{"version":1,"success":false,"code":"401","message":"log in first"}"#;
        let error = refusal_of(1, answer, &Secret::default());
        assert_eq!(
            error.detail(),
            failed("the program for the subject token failed with 401: log in first").detail()
        );
        let error = refusal_of(3, b"", &Secret::default());
        assert!(error.detail().contains("ended with status 3"), "{error}");
    }

    #[test]
    fn an_output_file_counts_until_its_token_ends() {
        let now = Now::steady(Millis::from_secs(1_800_000_000));
        for (expires, is_used) in [(1_800_000_001, true), (1_800_000_000, false)] {
            let source = Source { argv: vec!["p".into()], timeout_ms: 5_000, output_file: Some("/f".into()) };
            let mut run = Run::new(source, "a", "t", None);
            assert!(matches!(run.resume(now, Reply::Start), Step::ReadEnv { .. }));
            let allowed = vec![(environment::ALLOW_EXECUTABLES.to_owned(), Secret::from("1"))];
            assert!(matches!(run.resume(now, Reply::Env(allowed)), Step::ReadFile { .. }));
            let text = format!(
                r#"{{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":"t","expiration_time":{expires}}}"#
            );
            match run.resume(now, Reply::Text(Secret::new(text))) {
                Step::Done(token) => assert!(is_used && token.expose() == "t"),
                Step::Run { .. } => assert!(!is_used),
                other => panic!("{other:?}"),
            }
        }
    }
}
