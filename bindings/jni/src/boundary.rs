//! The boundary around every native function: no panic crosses it, and a failure becomes a Java exception.

use std::any::Any;
use std::panic::resume_unwind;

use gatepass_bridge::{Failure, guard};
use jni::errors::{Error, ErrorPolicy};
use jni::objects::{JClass, JThrowable};
use jni::{Env, EnvUnowned, JValue, jni_sig, jni_str};

/// Why a native function gives no result.
pub(crate) struct Raised(Failure);

impl Raised {
    /// A mistake of the package, not of its user.
    pub(crate) fn misuse(found: &str) -> Self {
        Self(Failure::misuse(found))
    }
}

impl From<Failure> for Raised {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<Error> for Raised {
    /// JNI itself refuses a null array, and so on. Where an exception is pending it is that which Java sees.
    fn from(error: Error) -> Self {
        Self(Failure::misuse(error.to_string()))
    }
}

/// Runs `work`. A failure or a panic is thrown as the exception that `class.failure(json)` makes, and null or 0 is
/// returned, which Java then never sees.
pub(crate) fn boundary<'local, T: Default>(
    mut env: EnvUnowned<'local>,
    class: JClass<'local>,
    work: impl FnOnce(&mut Env<'local>) -> Result<T, Raised>,
) -> T {
    env.with_env(work).resolve_with::<Throw, _>(|| class)
}

struct Throw;

impl<T: Default> ErrorPolicy<T, Raised> for Throw {
    type Captures<'local: 'method, 'method> = JClass<'local>;

    fn on_error<'local: 'method, 'method>(
        env: &mut Env<'local>,
        class: &mut JClass<'local>,
        Raised(failure): Raised,
    ) -> jni::errors::Result<T> {
        throw(env, class, &failure).map(|()| T::default())
    }

    fn on_panic<'local: 'method, 'method>(
        env: &mut Env<'local>,
        class: &mut JClass<'local>,
        payload: Box<dyn Any + Send>,
    ) -> jni::errors::Result<T> {
        match guard(|| resume_unwind(payload)) {
            Ok(never) => Ok(never),
            Err(failure) => throw(env, class, &failure).map(|()| T::default()),
        }
    }
}

fn throw<'local>(
    env: &mut Env<'local>,
    class: &JClass<'local>,
    failure: &Failure,
) -> jni::errors::Result<()> {
    if env.exception_check() {
        return Ok(()); // The JVM's own, OutOfMemoryError for one, says more.
    }
    let json = env.byte_array_from_slice(failure.to_json().as_bytes())?;
    let exception = env.call_static_method(
        class,
        jni_str!("failure"),
        jni_sig!((json: jbyte[]) -> dev.gatepass.GatepassException),
        &[JValue::Object(&json)],
    )?;
    let exception = env.cast_local::<JThrowable>(exception.l()?)?;
    match env.throw(exception) {
        Err(Error::JavaException) => Ok(()), // It is pending now, as it should be.
        other => other,
    }
}
