//! JWTs that a service account signs with its own key, or has IAM sign (AIP-4111 and 4112; RFC 7523, section 3).

use crate::error::{Error, ErrorCode};
use crate::jose::jws::{self, SigningKey};
use crate::json;
use crate::signing::{Signing, sign};
use crate::step::Millis;
use crate::token::{Issued, Want, jwt};

/// Seconds from `iat` to `exp`; the endpoints refuse more.
const LIFETIME: u64 = 3600;

/// An account that signs with its own key.
pub(crate) struct Signer {
    principal: String,
    key: Box<dyn SigningKey + Send + Sync>,
    key_id: Option<String>,
}

impl Signer {
    pub(crate) fn new(
        principal: String,
        key: impl SigningKey + Send + Sync + 'static,
        key_id: Option<String>,
    ) -> Self {
        Self { principal, key: Box::new(key), key_id }
    }

    /// Who the account is: what `iss` says.
    pub(crate) fn principal(&self) -> &str {
        &self.principal
    }

    /// The name of the key.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The key's signature of these bytes.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> Result<Signing<Vec<u8>>, Error> {
        sign(self.key.as_ref(), bytes)
    }

    /// The JWT with these claims.
    pub(crate) fn sign(&self, claims: &Claims<'_>) -> Result<Signing<Issued>, Error> {
        let signing_input =
            jws::signing_input(self.key.algorithm(), self.key_id.as_deref(), &claims.to_json());
        let (issued_at, expires_at) = (Millis::from_secs(claims.iat), Millis::from_secs(claims.exp));
        let signature = self.sign_bytes(signing_input.expose().as_bytes())?;
        Ok(signature.map(move |signature| {
            let value = jws::compact(&signing_input, &signature);
            Issued { value, expires_at, issued_at: Some(issued_at) }
        }))
    }
}

/// The claims of such a JWT.
pub(crate) struct Claims<'a> {
    aud: Option<&'a str>,
    exp: u64,
    iat: u64,
    iss: &'a str,
    scope: Option<String>,
    sub: Option<&'a str>,
    target_audience: Option<&'a str>,
}

impl<'a> Claims<'a> {
    /// The assertion that the token endpoint at `token_uri` exchanges for what is wanted, for the person `subject`
    /// if one is given (domain-wide delegation).
    pub(crate) fn assertion(
        email: &'a str,
        token_uri: &'a str,
        want: &'a Want,
        subject: Option<&'a str>,
        now: Millis,
    ) -> Result<Self, Error> {
        let (scope, target_audience) = match want {
            Want::IdToken { audience } => (None, Some(audience.as_str())),
            Want::AccessToken { scopes } => (Some(joined(scopes)?), None),
        };
        Ok(Self { aud: Some(token_uri), scope, sub: subject, target_audience, ..Self::new(email, now) })
    }

    /// A JWT that is itself the credential, for one API or for IAP.
    pub(crate) fn for_audience(email: &'a str, audience: &'a str, now: Millis) -> Self {
        Self { aud: Some(audience), sub: Some(email), ..Self::new(email, now) }
    }

    /// A JWT that is itself the credential, in place of an access token with these scopes.
    pub(crate) fn for_scopes(email: &'a str, scopes: &[String], now: Millis) -> Result<Self, Error> {
        Ok(Self { scope: Some(joined(scopes)?), sub: Some(email), ..Self::new(email, now) })
    }

    fn new(email: &'a str, now: Millis) -> Self {
        let iat = now.as_secs();
        Self {
            aud: None,
            exp: iat + LIFETIME,
            iat,
            iss: email,
            scope: None,
            sub: None,
            target_audience: None,
        }
    }

    /// The claims as JSON.
    pub(crate) fn to_json(&self) -> String {
        json::object(|claims| {
            if let Some(audience) = self.aud {
                claims.text("aud", audience);
            }
            claims.number("exp", self.exp).number("iat", self.iat).text("iss", self.iss);
            let others = [
                ("scope", self.scope.as_deref()),
                ("sub", self.sub),
                ("target_audience", self.target_audience),
            ];
            for (name, value) in others {
                if let Some(value) = value {
                    claims.text(name, value);
                }
            }
        })
    }
}

/// Reads a JWT for this audience that somebody else has signed for the account.
pub(crate) fn read(jwt: &str, audience: &str, now: Millis, who: &str) -> Result<Issued, Error> {
    jwt::read(jwt, audience, now, who, "a self-signed JWT")
}

fn joined(scopes: &[String]) -> Result<String, Error> {
    if scopes.is_empty() {
        return Err(Error::new(
            ErrorCode::InvalidOption,
            "no scope was given, expected at least one such as https://www.googleapis.com/auth/cloud-platform",
        ));
    }
    Ok(scopes.join(" "))
}
