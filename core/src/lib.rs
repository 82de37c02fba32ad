//! The sans-IO core of gatepass: it decides everything about service identity tokens, and does nothing itself.
//!
//! # The contract
//! Whatever may need the outside world is an [`Operation`]. The host calls [`Operation::resume`] with
//! [`Reply::Start`], carries out the [`Step`] that comes back, and answers it with the next `resume`, until the
//! step is [`Step::Done`] or [`Step::Fail`]. There is nothing to call in the wrong order; see [`step`] for the
//! rules that bind the host.
//!
//! The core reads no clock, no file, no environment and no network, and starts no thread: time is an argument
//! ([`Now`]), randomness is a seed that the host supplies, and the rest are steps.
//!
//! # The map
//! | module | noun |
//! | --- | --- |
//! | [`step`] | the resumable operation: what the host does next, and how it answers |
//! | [`source`] | fetched tokens: cache, refresh window, single flight |
//! | [`verify`] | received tokens: key sets, policy, remembered verdicts |
//! | [`adc`] | Application Default Credentials: where credentials are looked for, in which order |
//! | [`credentials`] | one file per credential `type` |
//! | [`exchange`] | one file per endpoint that gives a token |
//! | [`token`] | what is asked for, and what comes back |
//! | [`jose`] | JWS, JWK, JWK sets, algorithms and claims (RFC 7515, 7517, 7518, 7519) |
//! | [`audience`], [`header`] | the audience of a URL, and of this service; the headers that carry a token |
//! | [`grpc`] | how a gRPC server answers a call that it refuses |
//! | [`explain`] | what a token is, and all that is wrong with it, in plain words |
//! | [`error`], [`secret`] | the closed list of error codes; values that are never shown |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod adc;
mod attach;
pub mod audience;
mod calendar;
mod config;
pub mod credentials;
mod crypto;
mod encoding;
mod environment;
pub mod error;
pub mod exchange;
pub mod explain;
mod flight;
pub mod grpc;
pub mod header;
pub mod jose;
mod json;
mod proxy;
mod quote;
mod recognise;
mod retry;
pub mod secret;
pub mod source;
pub mod step;
mod sync;
pub mod token;
mod url;
pub mod verify;

pub use attach::{Call, CallPlan, CallToken, TokenHeader, Transport, plan_call};
pub use audience::OwnAudiences;
pub use config::{CredentialsFrom, Impersonate, Preferences, SourceConfig};
pub use credentials::{Principal, Signature};
pub use error::{Error, ErrorCode, ErrorKind, Reason, Texts};
pub use flight::FlightId;
pub use quote::quoted;
pub use secret::Secret;
pub use source::{DescribePrincipal, Inquiry, Lookup, Refresh, TokenSource};
pub use step::{
    Deadline, HostFailure, HttpRequest, Method, Millis, Monotonic, Now, Operation, Reply, Route, Step,
};
pub use token::{Token, TokenKey};
pub use verify::{
    KeyCache, KeyFetch, OpenVerifier, Opened, Recall, TokenDigest, Verdict, Verified, Verifier,
    VerifierConfig,
};
