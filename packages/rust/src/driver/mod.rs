//! Carries out what the core asks for, and waits for it. Nothing is decided here.
//!
//! | module | what |
//! | --- | --- |
//! | [`Host`] | the clocks, the functions that supply subject tokens, and the keys that verifiers share |
//! | `steps` | one step: the environment, a file, a request, a program |
//! | `process`, `tls` | of these, programs and TLS |
//! | `flights` | work that several threads wait for |

mod absolute_form;
mod flights;
mod process;
mod route;
mod steps;
mod tls;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use gatepass_core::{Error, KeyCache};

pub use gatepass_core::{HostFailure, Millis, Monotonic, Now, Operation, Reply, Step};

pub(crate) use self::flights::{Flight, Flights};

/// A function that gives a subject token, or says why there is none.
pub type Supplier = dyn Fn(&SubjectTokenRequest<'_>) -> Result<String, String> + Send + Sync;

/// What a [`Supplier`] is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SubjectTokenRequest<'a> {
    /// The audience of the workload identity pool provider.
    pub audience: &'a str,
    /// The subject token type that is expected (RFC 8693, section 3).
    pub token_type: &'a str,
}

/// What operations are carried out with. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Host {
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    suppliers: HashMap<String, Arc<Supplier>>,
    pub(crate) keys: KeyCache,
    /// Whose ids are those of `keys`.
    pub(crate) key_flights: Arc<Flights<()>>,
}

impl Host {
    /// A host with another clock than the machine's: for tests, and for programs that judge another moment. Its
    /// verifiers share no keys with those of others.
    pub fn with_clock(clock: impl Fn() -> Now + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            suppliers: HashMap::new(),
            keys: KeyCache::default(),
            key_flights: Arc::default(),
        }
    }

    /// The same host with a function that gives subject tokens to the credential files that name it (`"supplier"` in
    /// `credential_source`).
    #[must_use]
    pub fn with_supplier(
        mut self,
        name: &str,
        supplier: impl Fn(&SubjectTokenRequest<'_>) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        self.suppliers.insert(name.to_owned(), Arc::new(supplier));
        self
    }

    /// The time by this host's clocks.
    pub fn now(&self) -> Now {
        (self.clock)()
    }

    /// Drives `operation` to its end, on this thread.
    ///
    /// # Errors
    /// The operation's own.
    pub fn drive<T>(&self, operation: impl Operation<Output = T>) -> Result<T, Error> {
        steps::drive(operation, self)
    }
}

impl Default for Host {
    /// The machine's clocks, no suppliers, and the keys that all verifiers of this process share.
    fn default() -> Self {
        static SHARED: LazyLock<Host> = LazyLock::new(|| Host::with_clock(now));
        SHARED.clone()
    }
}

/// The time by this machine's clocks.
///
/// The monotonic one may stop while the machine is suspended; the wall clock has jumped when it wakes. What ends by
/// either has ended.
pub fn now() -> Now {
    static START: OnceLock<Instant> = OnceLock::new();
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let since_start = START.get_or_init(Instant::now).elapsed();
    Now { unix: Millis(millis(since_epoch)), monotonic: Monotonic(millis(since_start)) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The reply to a step that could not be carried out.
fn failed(kind: HostFailure, message: &str) -> Reply {
    Reply::Failed { kind, message: message.to_owned() }
}
