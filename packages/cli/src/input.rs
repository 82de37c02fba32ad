//! Tokens from the command line, or from standard input.

use std::io::{self, BufRead};

use crate::Failure;

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
    let mut is_empty = true;
    for line in io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Failure::runtime(format!("standard input: {error}")))?;
        is_empty = false;
        judge(&line)?;
    }
    if is_empty {
        return Err(Failure::runtime(
            "there is nothing on standard input, expected one token a line: did the program before this one fail?",
        ));
    }
    Ok(())
}
