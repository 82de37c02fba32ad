//! People, who log in with gcloud rather than with a key.

use std::fmt;
use std::str::FromStr;

use crate::email::is_email;

/// The OAuth client of every credential file that the emulator writes for a person.
pub(crate) const CLIENT_ID: &str = "gatepass-emulator.apps.googleusercontent.com";
pub(crate) const CLIENT_SECRET: &str = "TEST-CLIENT-NOT-A-SECRET";

/// A person. Like a service account, one exists as soon as it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    email: String,
}

impl User {
    /// Gives the e-mail.
    pub fn email(&self) -> &str {
        &self.email
    }
}

impl Default for User {
    fn default() -> Self {
        Self { email: "person@emulator.example".to_owned() }
    }
}

impl FromStr for User {
    type Err = InvalidUserEmail;

    fn from_str(email: &str) -> Result<Self, InvalidUserEmail> {
        if is_email(email) { Ok(Self { email: email.to_owned() }) } else { Err(InvalidUserEmail) }
    }
}

/// The text is not the e-mail of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUserEmail;

impl fmt::Display for InvalidUserEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the e-mail of a person, such as name@example.com")
    }
}

impl std::error::Error for InvalidUserEmail {}
