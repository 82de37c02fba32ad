//! The sans-IO core of gatepass: it decides everything about service identity tokens, and does nothing itself.
//!
//! # The contract
//! Whatever may need the outside world is an [`Operation`]. The host calls [`Operation::resume`] with
//! [`Reply::Start`], carries out the [`Step`] that comes back, and answers it with the next `resume`, until the
//! step is [`Step::Done`] or [`Step::Fail`]. There is nothing to call in the wrong order; the rules that bind the host are
//! these:
//! 1. `resume(Start)` comes first, then one reply per step, of the step's kind or [`Reply::Failed`]. Anything else gives
//!    [`Step::Fail`] with [`ErrorCode::ApiMisuse`], never a panic.
//! 2. Dropping an operation cancels it.
//! 3. [`Now`] holds the readings of two clocks. The wall clock may jump; it is only ever compared.
//! 4. The host follows no redirects, caps a body at [`BODY_LIMIT`], ends a step's work at its time limit, and logs no step
//!    and no reply: they hold secrets.
//! 5. A host that does not know a step answers `Failed` with [`HostFailure::Unsupported`].
//!
//! The core reads no clock, no file, no environment and no network, and starts no thread: time is an argument
//! ([`Now`]), randomness is a seed that the host supplies, and the rest are steps.
//!
//! # An example
//! A token from the metadata server, carried out by hand; a real host sends the request.
//!
//! ```
//! use gatepass_core::{Lookup, Millis, Now, Operation, Reply, Secret, SourceConfig, Step, TokenKey, TokenSource};
//!
//! let now = Now::steady(Millis::from_secs(1_800_000_000));
//! let source = TokenSource::new(SourceConfig { seed: 7, ..SourceConfig::default() });
//! let key = TokenKey::access_token("")?;
//! let Lookup::Fetch(mut fetch) = source.lookup(&key, now) else { panic!("the cache is empty") };
//!
//! let mut reply = Reply::Start;
//! let token = loop {
//!     reply = match fetch.resume(now, reply) {
//!         Step::ReadEnv { .. } => Reply::Env(vec![("GCE_METADATA_HOST".into(), "localhost:8085".into())]),
//!         Step::Send(request) => {
//!             assert_eq!(request.url, "http://localhost:8085/computeMetadata/v1/instance/service-accounts/default/token");
//!             Reply::Response {
//!                 status: 200,
//!                 headers: vec![("Metadata-Flavor".into(), "Google".into())],
//!                 body: Secret::new(br#"{"access_token":"ya29.x","expires_in":3600}"#.to_vec()),
//!             }
//!         }
//!         Step::Done(token) => break token,
//!         Step::Fail(error) => return Err(error),
//!         _ => Reply::Failed { kind: gatepass_core::HostFailure::Unsupported, message: String::new() },
//!     };
//! };
//! assert_eq!(token.header(), "Bearer ya29.x");
//! assert!(matches!(source.lookup(&key, now), Lookup::Fresh(_)), "it is kept");
//! # Ok::<(), gatepass_core::Error>(())
//! ```
//!
//! # The map
//! Modules are private but for [`explain`], [`grpc`] and [`json`]; each public name has one path, `gatepass_core::Name`.
//!
//! | module | noun |
//! | --- | --- |
//! | `step` | the resumable operation: what the host does next, and how it answers |
//! | `config`, `environment` | what the program says, and what the environment says |
//! | `source`, `flight` | fetched tokens: cache, refresh window, single flight |
//! | `verify` | received tokens: key sets, policy, remembered verdicts |
//! | `adc` | Application Default Credentials: where credentials are looked for, in which order |
//! | `credentials` | one file per credential `type` |
//! | `exchange` | one file per endpoint that gives a token |
//! | `token` | what is asked for, and what comes back |
//! | `jose` | JWS, JWK, JWK sets, algorithms and claims (RFC 7515, 7517, 7518, 7519) |
//! | `attach`, `audience`, `header` | how a call carries a token, for whom, and in which headers it is received |
//! | `proxy`, `named_places` | which proxy a request goes through; which places besides Google's are trusted |
//! | `json` | JSON, read strictly and written |
//! | `recognise`, `quote` | what a token is that was refused; what of an outside text may be shown |
//! | `signing` | what accounts sign, whoever computes the signature |
//! | `error`, `secret` | the closed list of error codes; values that are never shown |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod adc;
mod attach;
mod audience;
mod calendar;
mod config;
mod credentials;
mod crypto;
mod der;
mod encoding;
mod environment;
mod error;
mod exchange;
pub mod explain;
mod flight;
pub mod grpc;
mod header;
mod jose;
pub mod json;
mod named_places;
mod proxy;
mod quote;
mod recognise;
mod retry;
mod secret;
mod signing;
mod source;
mod step;
mod sync;
mod token;
mod url;
mod verify;

pub use adc::{CredentialsExplanation, ExplainCredentials};
pub use attach::{Call, CallPlan, CallToken, TokenHeader, Transport, plan_call};
pub use audience::{
    IAP_AUDIENCE_FORMS, OwnAudiences, audience_for_url, check_iap_audience, same_audience_spellings,
};
pub use config::{CredentialsFrom, Impersonate, Preferences, SourceConfig};
pub use credentials::{Principal, Signature};
pub use crypto::{BadKey, HostCrypto, Primitive, set_host_crypto};
pub use error::{Error, ErrorCode, ErrorKind, Reason, Texts};
pub use flight::FlightId;
pub use header::{Refusal, RefusalLog, TOKEN_HEADERS, TokenHeaders};
pub use jose::alg::Algorithm;
pub use jose::jwks::KeySet;
pub use jose::jws::check_token_length;
pub use quote::{quoted, unread_path};
pub use secret::Secret;
pub use source::{DescribePrincipal, Inquiry, Lookup, Refresh, TokenSource};
pub use step::{
    BODY_LIMIT, ClientCertificate, DataToSign, Deadline, HostFailure, HttpRequest, Method, Millis, Monotonic,
    Now, Operation, Reply, Route, STDERR_LIMIT, SignatureToCheck, Step,
};
pub use token::{Token, TokenKey};
pub use verify::{
    Audiences, Callers, CheckStep, DEFAULT_LEEWAY_SECONDS, DEFAULT_REMEMBERED_BYTES, HostCost, KeyCache,
    KeyFetch, KeySource, MAX_LEEWAY_SECONDS, OpenSignature, OpenVerifier, Opened, PLACES, Preset, PublicJwk,
    Recall, TokenCheck, TokenDigest, Verdict, Verified, Verifier, VerifierConfig,
};
