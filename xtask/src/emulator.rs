//! The emulator, as a service under xtask's control.

use std::path::Path;

use serde_json::Value;

use crate::checkout::Checkout;
use crate::failure::{Failure, Result};
use crate::http;
use crate::process::{Program, Service};

/// A running emulator. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    _service: Service,
    url: String,
    environment: Vec<(String, String)>,
}

impl Emulator {
    /// Starts one with these options.
    pub(crate) fn start(checkout: &Checkout, options: &[&str], log: &Path) -> Result<Self> {
        let program = checkout.program(checkout.cli());
        let program = program.args(&["emulator", "--port", "0", "--exit-with-stdin"]).args(options);
        let service = program.start(log, |line| url_in(line).is_some())?;
        let url = service.lines().iter().find_map(|line| url_in(line)).unwrap_or_default().to_owned();
        let exports = service.lines().iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let environment = exports.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()));
        Ok(Self { url, environment: environment.collect(), _service: service })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What a program needs in its environment to find this emulator.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// A program that takes this emulator for Google.
    pub(crate) fn show_to(&self, program: Program) -> Program {
        self.environment.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Where the keys are that ID tokens are verified with.
    pub(crate) fn keys_url(&self) -> String {
        format!("{}/oauth2/v3/certs", self.url)
    }

    /// Has an ID token made to order; packages/emulator/README.md describes the order.
    pub(crate) fn mint(&self, order: &Value) -> Result<String> {
        let answer = http::post(&format!("{}/emulator/v1/mint", self.url), order)?;
        let token = answer.body.get("token").and_then(Value::as_str);
        token
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(format!("the emulator mints no token for {order}")))
    }

    /// Counts requests from zero.
    pub(crate) fn forget_requests(&self) -> Result<()> {
        self.control("requests:reset", &Value::Null)
    }

    /// Orders a fault; packages/emulator/README.md describes it.
    pub(crate) fn order_fault(&self, fault: &Value) -> Result<()> {
        self.control("fault", fault)
    }

    /// Forgets all faults that wait.
    pub(crate) fn clear_faults(&self) -> Result<()> {
        self.control("fault:clear", &Value::Null)
    }

    fn control(&self, what: &str, order: &Value) -> Result<()> {
        let answer = http::post(&format!("{}/emulator/v1/{what}", self.url), order)?;
        if answer.status < 400 {
            return Ok(());
        }
        Err(Failure::new(format!("the emulator answers {} to {what}: {}", answer.status, answer.body)))
    }

    /// How often it was asked for a token, by metadata and by key.
    pub(crate) fn token_requests(&self) -> Result<u64> {
        let answer = http::get(&format!("{}/emulator/v1/requests", self.url), None)?;
        let counts = answer.body.get("counts").and_then(Value::as_object);
        let counts = counts.ok_or_else(|| Failure::new("the emulator counts no requests"))?;
        let for_tokens =
            counts.iter().filter(|(path, _)| path.ends_with("/identity") || path.ends_with("/token"));
        Ok(for_tokens.filter_map(|(_, count)| count.as_u64()).sum())
    }
}

fn url_in(line: &str) -> Option<&str> {
    line.strip_prefix("# listening on ")
}
