//! Verifies the token of a request.

use gatepass::{Callers, TokenHeaders, Verifier, VerifierConfig};

fn main() -> Result<(), gatepass::Error> {
    let authorization = std::env::args().nth(1).unwrap_or_default();

    // Made once, used from any thread. What is left open here is Google's: issuers, algorithms, keys.
    let verifier = Verifier::new(VerifierConfig {
        audiences: "https://orders.example".into(),
        callers: Callers::Emails(vec!["default@emulator.iam.gserviceaccount.com".to_owned()]),
        ..VerifierConfig::default()
    })?;
    let headers = TokenHeaders { authorization: Some(&authorization), ..TokenHeaders::default() };
    match verifier.verify_headers(&headers) {
        Ok(claims) => println!("hello {}", claims.email().unwrap_or("stranger")),
        Err(error) => {
            let refusal = gatepass::Refusal::from(&error); // status, headers and body of the answer
            println!("{} {}: {error}", refusal.status, error.code());
        }
    }
    Ok(())
}
