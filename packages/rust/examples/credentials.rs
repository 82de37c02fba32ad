//! Says which credentials to use, and how.

use gatepass::{CredentialsFrom, Impersonate, SourceConfig, TokenSource};

fn main() -> Result<(), gatepass::Error> {
    let source = TokenSource::with(SourceConfig {
        credentials: CredentialsFrom::Search, // or File, or Json
        impersonate: Some(Impersonate {
            email: "reports@shop.iam.gserviceaccount.com".to_owned(),
            delegates: Vec::new(),
        }),
        ..SourceConfig::default()
    });
    let token = source.access_token(&["https://www.googleapis.com/auth/devstorage.read_only"])?;
    println!("good until {:?}", token.expires_at());
    Ok(())
}
