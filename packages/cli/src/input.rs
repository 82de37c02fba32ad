//! Tokens from the command line, or from standard input.

use std::io::{self, BufRead as _, Read as _};

use crate::Failure;

/// The longest line that is read: far above any token, so that what else was taken for one is still recognised.
pub(crate) const MAX_TEXT: u64 = 1 << 20;

/// Hands `judge` the token of the command line or, if that is `-`, each line of standard input.
///
/// Nothing on standard input is a failure: the program that should have printed a token has not.
pub(crate) fn each_token(
    token: &str,
    mut judge: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if token != "-" {
        return judge(token.as_bytes());
    }
    let mut stdin = io::stdin().lock();
    let mut is_empty = true;
    loop {
        let mut line = Vec::new();
        let read = stdin.by_ref().take(MAX_TEXT).read_until(b'\n', &mut line);
        match read.map_err(|error| Failure::runtime(format!("standard input: {error}")))? {
            0 if is_empty => {
                return Err(Failure::runtime(
                    "there is nothing on standard input, expected one token a line: did the program before this one fail?",
                ));
            }
            0 => return Ok(()),
            _ => {}
        }
        is_empty = false;
        judge(line.strip_suffix(b"\n").unwrap_or(&line))?;
    }
}
