//! Calls a service with an ID token.

use gatepass::{Call, CallToken, TokenHeader, TokenSource, Transport};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or("https://orders-abc-uc.a.run.app/v1".to_owned());

    let source = TokenSource::new(); // one for each principal; cheap to clone, from any thread
    let call = Call {
        url: &url,
        token: CallToken::IdToken { audience: None }, // None: the audience comes from the URL
        token_header: TokenHeader::Authorization,
        transport: Transport::Http { allow_plain_http: false },
    };
    let mut request = ureq::get(&url);
    for (name, value) in source.headers(&call)? {
        request = request.header(name, value);
    }
    println!("{}", request.call()?.status());

    let token = gatepass::fetch_id_token("https://orders.example")?; // from one source for the whole process
    println!("good until {:?}", token.expires_at());
    Ok(())
}
