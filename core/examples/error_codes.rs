//! Prints every error code as a page of the documentation: `cargo xtask docs` puts it there.

#![allow(clippy::print_stdout)]

use gatepass_core::{ErrorCode, ErrorKind};

fn main() {
    println!(
        "# Error codes\n\nThe same in every language, never renamed and never reused. A message says what was found and what was \
         expected; the code says which of these it is. The status is what a receiving service answers.\n"
    );
    let mut family = None;
    for code in ErrorCode::ALL {
        if family != Some(code.kind()) {
            family = Some(code.kind());
            println!("## {}\n", heading(code.kind()));
        }
        println!("### {} {{ #{} }}\n", code.as_str(), code.as_str());
        let again = if code.is_retryable() { "; trying again may help" } else { "" };
        println!(
            "Number {}, answered with {}{again}. **What to do:** {}.\n",
            *code as i32,
            code.http_status(),
            code.advice()
        );
    }
}

fn heading(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "The program calls gatepass in a wrong way",
        ErrorKind::Credentials => "The credentials cannot be found, read or used",
        ErrorKind::Transport => "An endpoint cannot be reached, or answers nothing useful",
        ErrorKind::Verify => "A received token is refused",
    }
}
