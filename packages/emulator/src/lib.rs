#![doc = include_str!("../README.md")]
//!
//! # The map
//! | module | subject |
//! | --- | --- |
//! | [`Emulator`], [`Config`] | the whole: one request and a time in, one response out |
//! | [`http`], [`time`] | the request, the response, the time |
//! | [`service_account`] | the principal of a token, and the key file that proves it |
//! | [`mint`] | tokens that look like Google's |
//! | [`keys`], [`tls`] | test keys, derived in the open, and certificates |
//! | [`credential_file`], [`User`] | the other credential files, and the people in them |
//! | `metadata`, `token`, `token_info`, `sts`, `iam_credentials`, [`gdch`], `certs` | one file per family of Google's endpoints |
//! | [`cloud_run`], [`push`] | what is in front of a service, and what calls it |
//! | `aws_metadata`, `aws_sts`, `subject_token_source` | where workloads elsewhere get what they show to Google |
//! | `oauth`, `refresh`, `refresh_tokens` | what the token endpoints have in common |
//! | `control`, `state`, `faults`, `request_log` | the control API, and what it steers |
//! | `browser` | what keeps web pages out |
//! | `page`, `activity` | the page on which a developer watches the emulator |
//! | `paths`, `email` | what several of these name |
//!
//! The crate reads no clock, opens no socket and never sleeps; [`Emulator::handle`] can be called from many threads.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod activity;
mod aws_metadata;
mod aws_sts;
mod browser;
mod certs;
pub mod cloud_run;
mod config;
mod control;
pub mod credential_file;
mod email;
mod emulator;
mod faults;
mod fingerprint;
pub mod gdch;
pub mod http;
mod iam_credentials;
mod json;
mod jws;
pub mod keys;
mod metadata;
pub mod mint;
mod oauth;
mod page;
mod paths;
pub mod push;
mod refresh;
mod refresh_tokens;
mod request_log;
pub mod service_account;
mod state;
mod sts;
mod subject_token_source;
pub mod time;
pub mod tls;
mod token;
mod token_cache;
mod token_info;
mod user;

pub use config::Config;
pub use emulator::Emulator;
pub use service_account::ServiceAccount;
pub use user::{InvalidUserEmail, User};

/// What every key, certificate and key file of the emulator says of itself.
pub const TEST_KEY_NOTICE: &str = "TEST KEY, NOT A SECRET";
