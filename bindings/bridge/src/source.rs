//! A token source behind a handle.

use gatepass_core::{FlightId, Now, Token, TokenKey, TokenSource, json};

use crate::failure::{Failure, guard};
use crate::op::{Op, write_token};
use crate::options;

/// Tokens of one principal, cached.
pub struct Source(TokenSource);

/// A token as a host needs it.
#[derive(Clone)]
pub struct TokenView(Token);

impl TokenView {
    /// The value of the `Authorization` header: `Bearer` and the token.
    pub fn header(&self) -> &str {
        self.0.header()
    }

    /// Unix milliseconds of the token's end.
    pub fn expires_at_ms(&self) -> u64 {
        self.0.expires_at().0
    }

    /// Unix milliseconds until which the host may hand the header out from its own memory.
    pub fn fresh_until_ms(&self) -> u64 {
        self.0.fresh_until().unix.0
    }

    /// The same by the monotonic clock: the header may be handed out until either has come.
    pub fn fresh_until_monotonic_ms(&self) -> u64 {
        self.0.fresh_until().monotonic.0
    }
}

/// The answer to "which token now?"; see [`gatepass_core::Lookup`].
pub enum Lookup {
    /// Use it.
    Fresh(TokenView),
    /// Use it; drive the operation, if there is one, in the background.
    Stale(TokenView, Option<Op>),
    /// Drive the operation; its output is the token.
    Fetch(Op),
    /// Wait for this flight, then look again.
    Join(u64),
}

impl Lookup {
    /// The answer without the operation, as JSON, for bindings to which a text is cheaper than an object: `status` is
    /// `fresh`, `stale`, `fetch` or `join`. Fresh and stale have `header`, `expires_at_ms`, `fresh_until_ms` and
    /// `fresh_until_monotonic_ms`; join has `flight`.
    pub fn to_json(&self) -> String {
        json::object(|object| {
            let status = match self {
                Self::Fresh(token) => {
                    write_token(object, &token.0);
                    "fresh"
                }
                Self::Stale(token, _) => {
                    write_token(object, &token.0);
                    "stale"
                }
                Self::Fetch(_) => "fetch",
                Self::Join(flight) => {
                    object.number("flight", *flight);
                    "join"
                }
            };
            object.text("status", status);
        })
    }
}

impl Source {
    /// A source with these options; see [`options`](crate) for their JSON.
    ///
    /// # Errors
    /// `INVALID_OPTION`.
    pub fn new(options: &str) -> Result<Self, Failure> {
        guard(|| Ok(Self(TokenSource::new(options::source(options)?))))
    }

    /// The token of `kind` for `target`: an `id_token` or a `self_signed_jwt` for an audience, an `access_token` for
    /// scopes separated by spaces.
    ///
    /// # Errors
    /// `INVALID_AUDIENCE`, `INVALID_OPTION`, or `API_MISUSE` for an unknown kind.
    pub fn lookup(&self, kind: &str, target: &str, now: Now) -> Result<Lookup, Failure> {
        guard(|| {
            Ok(match self.0.lookup(&key(kind, target)?, now) {
                gatepass_core::Lookup::Fresh(token) => Lookup::Fresh(TokenView(token)),
                gatepass_core::Lookup::Stale(token, refresh) => {
                    Lookup::Stale(TokenView(token), refresh.map(Op::from))
                }
                gatepass_core::Lookup::Fetch(refresh) => Lookup::Fetch(Op::from(refresh)),
                gatepass_core::Lookup::Join(FlightId(id)) => Lookup::Join(id),
            })
        })
    }

    /// Whether a request that was answered with this status is worth repeating once, after a new look-up. `header` is the
    /// value that it was sent with; see [`TokenSource::retry_after_refusal`].
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn retry_after_refusal(
        &self,
        kind: &str,
        target: &str,
        header: &str,
        status: u16,
        now: Now,
    ) -> Result<bool, Failure> {
        guard(|| Ok(self.0.retry_after_refusal(&key(kind, target)?, header, status, now)))
    }

    /// Replaces the token of this header value before its time, at most once a minute; see [`TokenSource::invalidate`].
    ///
    /// # Errors
    /// As [`lookup`](Self::lookup).
    pub fn invalidate(&self, kind: &str, target: &str, header: &str, now: Now) -> Result<bool, Failure> {
        guard(|| Ok(self.0.invalidate(&key(kind, target)?, header, now)))
    }

    /// The operation that says who the credentials are: the service account's e-mail and the project.
    pub fn principal(&self) -> Op {
        Op::from(self.0.principal())
    }

    /// The operation that signs these bytes as the credentials' service account.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Op {
        Op::from(self.0.sign_bytes(bytes.to_vec()))
    }

    /// The headers that go with an access token on a call of Google's APIs, besides `Authorization`, as JSON:
    /// `[[name,value],…]`. They are known once a token was fetched.
    pub fn access_token_headers(&self) -> String {
        let headers = self.0.access_token_headers();
        json::list(headers.iter().map(|(name, value)| json::texts(&[name, value.as_str()])))
    }

    /// Gives up every flight, as a forked child must. Tokens are kept.
    pub fn abandon_flights(&self) {
        self.0.abandon_flights();
    }
}

fn key(kind: &str, target: &str) -> Result<TokenKey, Failure> {
    Ok(match kind {
        "id_token" => TokenKey::id_token(target)?,
        "access_token" => TokenKey::access_token(target)?,
        "self_signed_jwt" => TokenKey::self_signed_jwt(target)?,
        _ => {
            return Err(Failure::misuse(
                "the kind of token is unknown, expected id_token, access_token or self_signed_jwt",
            ));
        }
    })
}
