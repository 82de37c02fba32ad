//! gatepass for Java: the native half of `dev.gatepass.Native`.
//!
//! Text crosses as UTF-8 in a `byte[]`. JNI's own strings are "modified UTF-8", which spells NUL and every character
//! beyond U+FFFF in another way; bytes are what Java says they are. What lives in Rust crosses as a handle, a `long`
//! that is 0 when there is nothing. A failure is thrown as the exception that `Native.failure` makes of its JSON.

// A handle that Java hands back becomes a reference again, and the JVM finds functions by their exported names:
// neither can be said without `unsafe`. Every use is in handle.rs or next to a call into it.
#![allow(unsafe_code)]

mod boundary;
mod handle;

use std::ffi::c_void;
use std::slice;

use gatepass_bridge::{
    KeyCache, Lookup, Now, Op, Recall, RequestHeaders, Source, TokenDigest, Verdict, Verifier,
};
use jni::objects::{JByteArray, JClass, JLongArray};
use jni::sys::{JavaVM, jboolean, jbyte, jint, jlong};
use jni::{Env, EnvUnowned, jni_mangle};

use crate::boundary::{Raised, boundary};

/// Called by the JVM when it unloads this library, together with the classes that have its handles.
#[unsafe(no_mangle)]
#[allow(non_snake_case)] // JNI's own name.
pub extern "system" fn JNI_OnUnload(_vm: *mut JavaVM, _reserved: *mut c_void) {
    handle::free_all();
}

/// `static native byte[] version()`
#[jni_mangle("dev.gatepass.Native")]
pub fn version<'local>(env: EnvUnowned<'local>, class: JClass<'local>) -> JByteArray<'local> {
    boundary(env, class, |env| Ok(env.byte_array_from_slice(gatepass_bridge::VERSION.as_bytes())?))
}

/// `static native byte[] errorCodes()`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn error_codes<'local>(env: EnvUnowned<'local>, class: JClass<'local>) -> JByteArray<'local> {
    boundary(env, class, |env| Ok(env.byte_array_from_slice(gatepass_bridge::error_codes().as_bytes())?))
}

/// `static native byte[] limits()`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn limits<'local>(env: EnvUnowned<'local>, class: JClass<'local>) -> JByteArray<'local> {
    boundary(env, class, |env| Ok(env.byte_array_from_slice(gatepass_bridge::limits().as_bytes())?))
}

/// `static native byte[] tokenHeaders()`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn token_headers<'local>(env: EnvUnowned<'local>, class: JClass<'local>) -> JByteArray<'local> {
    boundary(env, class, |env| Ok(env.byte_array_from_slice(gatepass_bridge::token_headers().as_bytes())?))
}

/// `static native byte[] refusalLog(byte[] error, byte[] path)`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn refusal_log<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    error: JByteArray<'local>,
    path: JByteArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        let line = gatepass_bridge::refusal_log(&text(env, &error)?, &text(env, &path)?)?;
        Ok(env.byte_array_from_slice(line.as_bytes())?)
    })
}

/// `static native byte[] audienceForUrl(byte[] url)`
#[jni_mangle("dev.gatepass.Native")]
pub fn audience_for_url<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    url: JByteArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        let audience = gatepass_bridge::audience_for_url(&text(env, &url)?)?;
        Ok(env.byte_array_from_slice(audience.as_bytes())?)
    })
}

/// `static native byte[] planCall(byte[] call)`: how a request carries its token, both JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn plan_call<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    call: JByteArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        let plan = gatepass_bridge::plan_call(&text(env, &call)?)?;
        Ok(env.byte_array_from_slice(plan.as_bytes())?)
    })
}

/// `static native byte[] sameAudienceSpellings(byte[] audience)`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn same_audience_spellings<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    audience: JByteArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        let spellings = gatepass_bridge::same_audience_spellings(&text(env, &audience)?);
        Ok(env.byte_array_from_slice(spellings.as_bytes())?)
    })
}

/// `static native long ownAudiences()`: an operation, a handle for `resume` and `cancel`.
#[jni_mangle("dev.gatepass.Native")]
pub fn own_audiences<'local>(env: EnvUnowned<'local>, class: JClass<'local>) -> jlong {
    boundary(env, class, |_| Ok(handle::new(Op::own_audiences())))
}

/// `static native byte[] explain(byte[] options, byte[] token, long nowMs)`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn explain<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    options: JByteArray<'local>,
    token: JByteArray<'local>,
    now_ms: jlong,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        let (options, token) = (text(env, &options)?, text(env, &token)?);
        let explanation = gatepass_bridge::explain_token(&options, &token, unsigned(now_ms))?;
        Ok(env.byte_array_from_slice(explanation.as_bytes())?)
    })
}

/// `static native long newSource(byte[] options)`: a handle for `freeSource`.
#[jni_mangle("dev.gatepass.Native")]
pub fn new_source<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    options: JByteArray<'local>,
) -> jlong {
    boundary(env, class, |env| Ok(handle::new_lasting(Source::new(&text(env, &options)?)?)))
}

/// `static native void freeSource(long source)`
#[jni_mangle("dev.gatepass.Native")]
pub fn free_source<'local>(env: EnvUnowned<'local>, class: JClass<'local>, source: jlong) {
    boundary(env, class, |_| {
        // SAFETY: TokenSource.java gives the handle of `new_source` to Handles.java, which calls this once, when
        // nothing can use it any more.
        unsafe { handle::free_lasting(source) };
        Ok(())
    });
}

/// `static native byte[] lookup(long source, byte[] kind, byte[] target, long nowMs, long monotonicMs, long[] answer)`: the
/// header or null; `answer` is filled as `fill` says, with `fresh_until_ms`, `fresh_until_monotonic_ms` and `expires_at_ms`
/// as details.
#[jni_mangle("dev.gatepass.Native")]
pub fn lookup<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    source: jlong,
    kind: JByteArray<'local>,
    target: JByteArray<'local>,
    now_ms: jlong,
    monotonic_ms: jlong,
    answer: JLongArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        // SAFETY: TokenSource.java keeps the handle of `new_source` alive beyond this call (reachabilityFence).
        let source = unsafe { handle::borrow::<Source>(source) }?;
        let (kind, target) = (text(env, &kind)?, text(env, &target)?);
        let (status, token, flight, op) = match source.lookup(&kind, &target, now(now_ms, monotonic_ms))? {
            Lookup::Fresh(token) => (READY, Some(token), None, None),
            Lookup::Stale(token, op) => (STALE, Some(token), None, op),
            Lookup::Fetch(op) => (DRIVE, None, None, Some(op)),
            Lookup::Join(flight) => (JOIN, None, Some(flight), None),
        };
        let header = token.as_ref().map(|token| env.byte_array_from_slice(token.header().as_bytes()));
        let header = header.transpose()?.unwrap_or_default();
        let details = token.as_ref().map_or([0, 0, 0], |token| {
            [token.fresh_until_ms(), token.fresh_until_monotonic_ms(), token.expires_at_ms()].map(signed)
        });
        fill(env, &answer, status, flight, op, details)?;
        Ok(header)
    })
}

/// `static native boolean retryAfterRefusal(long source, byte[] kind, byte[] target, byte[] header, int status, long nowMs,
/// long monotonicMs)`: whether the request is worth repeating once.
#[jni_mangle("dev.gatepass.Native")]
#[allow(clippy::too_many_arguments)]
pub fn retry_after_refusal<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    source: jlong,
    kind: JByteArray<'local>,
    target: JByteArray<'local>,
    header: JByteArray<'local>,
    status: jint,
    now_ms: jlong,
    monotonic_ms: jlong,
) -> jboolean {
    boundary(env, class, |env| {
        // SAFETY: TokenSource.java keeps the handle of `new_source` alive beyond this call (reachabilityFence).
        let source = unsafe { handle::borrow::<Source>(source) }?;
        let (kind, target, header) = (text(env, &kind)?, text(env, &target)?, text(env, &header)?);
        let now = gatepass_bridge::now(unsigned(now_ms), unsigned(monotonic_ms));
        let status = u16::try_from(status).unwrap_or_default();
        Ok(source.retry_after_refusal(&kind, &target, &header, status, now)?)
    })
}

/// `static native boolean invalidate(long source, byte[] kind, byte[] target, byte[] header, long nowMs, long monotonicMs)`:
/// whether a look-up now gives another token.
#[jni_mangle("dev.gatepass.Native")]
#[allow(clippy::too_many_arguments)]
pub fn invalidate<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    source: jlong,
    kind: JByteArray<'local>,
    target: JByteArray<'local>,
    header: JByteArray<'local>,
    now_ms: jlong,
    monotonic_ms: jlong,
) -> jboolean {
    boundary(env, class, |env| {
        // SAFETY: TokenSource.java keeps the handle of `new_source` alive beyond this call (reachabilityFence).
        let source = unsafe { handle::borrow::<Source>(source) }?;
        let (kind, target, header) = (text(env, &kind)?, text(env, &target)?, text(env, &header)?);
        let now = gatepass_bridge::now(unsigned(now_ms), unsigned(monotonic_ms));
        Ok(source.invalidate(&kind, &target, &header, now)?)
    })
}

/// `static native long principal(long source)`: an operation that says who the credentials are, a handle for `resume` and
/// `cancel`.
#[jni_mangle("dev.gatepass.Native")]
pub fn principal<'local>(env: EnvUnowned<'local>, class: JClass<'local>, source: jlong) -> jlong {
    boundary(env, class, |_| {
        // SAFETY: TokenSource.java keeps the handle of `new_source` alive beyond this call (reachabilityFence).
        let source = unsafe { handle::borrow::<Source>(source) }?;
        Ok(handle::new(source.principal()))
    })
}

/// `static native long signBytes(long source, byte[] bytes)`: an operation that signs as the credentials' service account, a
/// handle for `resume` and `cancel`.
#[jni_mangle("dev.gatepass.Native")]
pub fn sign_bytes<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    source: jlong,
    bytes: JByteArray<'local>,
) -> jlong {
    boundary(env, class, |env| {
        // SAFETY: TokenSource.java keeps the handle of `new_source` alive beyond this call (reachabilityFence).
        let source = unsafe { handle::borrow::<Source>(source) }?;
        Ok(handle::new(source.sign_bytes(&env.convert_byte_array(&bytes)?)))
    })
}

/// `static native byte[] accessTokenHeaders(long source)`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn access_token_headers<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    source: jlong,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        // SAFETY: TokenSource.java keeps the handle of `new_source` alive beyond this call (reachabilityFence).
        let source = unsafe { handle::borrow::<Source>(source) }?;
        Ok(env.byte_array_from_slice(source.access_token_headers().as_bytes())?)
    })
}

/// `static native long newKeys()`: an empty cache of keys, a handle for `freeKeys`.
#[jni_mangle("dev.gatepass.Native")]
pub fn new_keys<'local>(env: EnvUnowned<'local>, class: JClass<'local>) -> jlong {
    boundary(env, class, |_| Ok(handle::new_lasting(KeyCache::new())))
}

/// `static native void freeKeys(long keys)`
#[jni_mangle("dev.gatepass.Native")]
pub fn free_keys<'local>(env: EnvUnowned<'local>, class: JClass<'local>, keys: jlong) {
    boundary(env, class, |_| {
        // SAFETY: KeyCache.java gives the handle of `new_keys` to Handles.java, which calls this once, when nothing can
        // use it any more.
        unsafe { handle::free_lasting(keys) };
        Ok(())
    });
}

/// `static native long openVerifier(byte[] options, long keys)`: the operation that makes a verifier, a handle for `resume`,
/// `opVerifier` and `cancel`.
#[jni_mangle("dev.gatepass.Native")]
pub fn open_verifier<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    options: JByteArray<'local>,
    keys: jlong,
) -> jlong {
    boundary(env, class, |env| {
        // SAFETY: KeyCache.java keeps the handle of `new_keys` alive beyond this call (reachabilityFence).
        let keys = unsafe { handle::borrow::<KeyCache>(keys) }?;
        Ok(handle::new(Verifier::open(&text(env, &options)?, keys)?))
    })
}

/// `static native long opVerifier(long op)`: the verifier that the operation of `openVerifier` has made, a handle for
/// `freeVerifier`. It is given once, after the step `done`.
#[jni_mangle("dev.gatepass.Native")]
pub fn op_verifier<'local>(env: EnvUnowned<'local>, class: JClass<'local>, op: jlong) -> jlong {
    boundary(env, class, |_| {
        // SAFETY: the methods of Op.java are synchronized, so this is the only reference, and `cancel` comes after it.
        let op = unsafe { handle::borrow_mut::<Op>(op) }?;
        Ok(handle::new_lasting(Verifier::made_by(op)?))
    })
}

/// `static native void freeVerifier(long verifier)`
#[jni_mangle("dev.gatepass.Native")]
pub fn free_verifier<'local>(env: EnvUnowned<'local>, class: JClass<'local>, verifier: jlong) {
    boundary(env, class, |_| {
        // SAFETY: Verifier.java gives the handle of `op_verifier` to Handles.java, which calls this once, when nothing
        // can use it any more.
        unsafe { handle::free_lasting(verifier) };
        Ok(())
    });
}

/// `static native long recall(long verifier, byte[] token, long nowMs, long monotonicMs)`: the entry of a token that is remembered and good;
/// of any other the handle of its digest, negated, which `check` takes and frees.
#[jni_mangle("dev.gatepass.Native")]
pub fn recall<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    verifier: jlong,
    token: JByteArray<'local>,
    now_ms: jlong,
    monotonic_ms: jlong,
) -> jlong {
    boundary(env, class, |env| {
        // SAFETY: Verifier.java keeps the handle of `op_verifier` alive beyond this call (reachabilityFence).
        let verifier = unsafe { handle::borrow::<Verifier>(verifier) }?;
        Ok(match with_bytes(env, &token, |token| verifier.recall(token, now(now_ms, monotonic_ms)))? {
            Recall::Known(entry) => signed(entry),
            Recall::New(digest) => -handle::new(digest),
        })
    })
}

/// `static native byte[] check(long verifier, byte[] token, long digest, long nowMs, long monotonicMs, long[] answer)`: the payload or null;
/// `answer` is filled as `fill` says, with the entry (0: not remembered) as the first detail, and 1 as the second where
/// nothing proves the payload. `digest` is what `recall` has just given for the token; 0 if it was not asked.
#[jni_mangle("dev.gatepass.Native")]
pub fn check<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    verifier: jlong,
    token: JByteArray<'local>,
    digest: jlong,
    now_ms: jlong,
    monotonic_ms: jlong,
    answer: JLongArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        // SAFETY: Verifier.java hands the digest of `recall` to one call, and negated as it came.
        let digest = unsafe { handle::take::<TokenDigest>(-digest) };
        // SAFETY: Verifier.java keeps the handle of `op_verifier` alive beyond this call (reachabilityFence).
        let verifier = unsafe { handle::borrow::<Verifier>(verifier) }?;
        let now = now(now_ms, monotonic_ms);
        let verdict = with_bytes(env, &token, |token| match digest {
            Some(digest) => verifier.check_new(token, digest, now),
            None => verifier.check(token, now),
        })?;
        let (status, verified, flight, op) = match verdict? {
            Verdict::Accepted(verified, None) => (READY, Some(verified), None, None),
            Verdict::Accepted(verified, op) => (STALE, Some(verified), None, op),
            Verdict::NeedsKeys(op) => (DRIVE, None, None, Some(op)),
            Verdict::Join(flight) => (JOIN, None, Some(flight), None),
        };
        let payload = verified.as_ref().map(|verified| env.byte_array_from_slice(verified.payload()));
        let payload = payload.transpose()?.unwrap_or_default();
        let details = verified
            .map_or([0; 3], |verified| [signed(verified.entry()), jlong::from(verified.is_unverified()), 0]);
        fill(env, &answer, status, flight, op, details)?;
        Ok(payload)
    })
}

/// `static native byte[] tokenFromHeaders(long verifier, byte[] authorization, byte[] xServerlessAuthorization,
/// byte[] xGoogIapJwtAssertion)`: each with all its values and a line feed between each two; an absent header is null.
#[jni_mangle("dev.gatepass.Native")]
pub fn token_from_headers<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    verifier: jlong,
    authorization: JByteArray<'local>,
    x_serverless_authorization: JByteArray<'local>,
    x_goog_iap_jwt_assertion: JByteArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        // SAFETY: Verifier.java keeps the handle of `op_verifier` alive beyond this call (reachabilityFence).
        let verifier = unsafe { handle::borrow::<Verifier>(verifier) }?;
        let authorization = optional_text(env, &authorization)?;
        let x_serverless_authorization = optional_text(env, &x_serverless_authorization)?;
        let x_goog_iap_jwt_assertion = optional_text(env, &x_goog_iap_jwt_assertion)?;
        let token = verifier.token_from_headers(&RequestHeaders {
            authorization: authorization.as_deref(),
            x_serverless_authorization: x_serverless_authorization.as_deref(),
            x_goog_iap_jwt_assertion: x_goog_iap_jwt_assertion.as_deref(),
        })?;
        Ok(env.byte_array_from_slice(token.as_bytes())?)
    })
}

/// `static native byte[] explainTo(long verifier, byte[] token, byte[] place, long nowMs)`: JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn explain_to<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    verifier: jlong,
    token: JByteArray<'local>,
    place: JByteArray<'local>,
    now_ms: jlong,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        // SAFETY: Verifier.java keeps the handle of `op_verifier` alive beyond this call (reachabilityFence).
        let verifier = unsafe { handle::borrow::<Verifier>(verifier) }?;
        let (token, place) = (text(env, &token)?, text(env, &place)?);
        let explanation = verifier.explain(&token, &place, unsigned(now_ms))?;
        Ok(env.byte_array_from_slice(explanation.as_bytes())?)
    })
}

/// `static native byte[] resume(long op, long nowMs, long monotonicMs, byte[] reply)`: the next step, JSON.
#[jni_mangle("dev.gatepass.Native")]
pub fn resume<'local>(
    env: EnvUnowned<'local>,
    class: JClass<'local>,
    op: jlong,
    now_ms: jlong,
    monotonic_ms: jlong,
    reply: JByteArray<'local>,
) -> JByteArray<'local> {
    boundary(env, class, |env| {
        let reply = text(env, &reply)?;
        // SAFETY: the methods of Op.java are synchronized, so this is the only reference, and `cancel` comes after it.
        let op = unsafe { handle::borrow_mut::<Op>(op) }?;
        let step = op.resume(now(now_ms, monotonic_ms), &reply);
        Ok(env.byte_array_from_slice(step.as_bytes())?)
    })
}

/// `static native void cancel(long op)`: gives the operation's flight up and frees the handle.
#[jni_mangle("dev.gatepass.Native")]
pub fn cancel<'local>(env: EnvUnowned<'local>, class: JClass<'local>, op: jlong) {
    boundary(env, class, |_| {
        // SAFETY: the methods of Op.java are synchronized, and it forgets the handle before it calls this.
        unsafe { handle::free::<Op>(op) };
        Ok(())
    });
}

/// A Google ID token has about 900 bytes.
const USUAL_TOKEN_BYTES: usize = 1_536;

// The first number of an answer, as Answer.Status in Java counts them.
const READY: jlong = 0;
const STALE: jlong = 1;
const DRIVE: jlong = 2;
const JOIN: jlong = 3;

/// Writes status, flight (numbers begin at 1; 0 is none), the operation's handle, and details of what is answered.
fn fill(
    env: &mut Env<'_>,
    answer: &JLongArray<'_>,
    status: jlong,
    flight: Option<u64>,
    op: Option<Op>,
    [first, second, third]: [jlong; 3],
) -> Result<(), Raised> {
    let flight = flight.or(op.as_ref().and_then(Op::flight)).unwrap_or_default();
    let op = op.map_or(handle::NONE, handle::new);
    let numbers = [status, signed(flight), op, first, second, third];
    answer.set_region(env, 0, &numbers).map_err(|error| {
        // SAFETY: the handle was made above and has reached nobody.
        unsafe { handle::free::<Op>(op) };
        error.into()
    })
}

/// What `look` makes of the bytes. Those of a usual token are copied to the stack: that is cheaper than an allocation, and
/// than `GetPrimitiveArrayCritical`, which also would hold the garbage collector up meanwhile.
fn with_bytes<R>(env: &Env<'_>, bytes: &JByteArray<'_>, look: impl FnOnce(&[u8]) -> R) -> Result<R, Raised> {
    let mut room: [jbyte; USUAL_TOKEN_BYTES] = [0; USUAL_TOKEN_BYTES];
    match room.get_mut(..bytes.len(env)?) {
        Some(room) => {
            bytes.get_region(env, 0, room)?;
            // SAFETY: jbyte and u8 have the same size, alignment and values; `room` is borrowed as long as this is.
            Ok(look(unsafe { slice::from_raw_parts(room.as_ptr().cast(), room.len()) }))
        }
        None => Ok(look(&env.convert_byte_array(bytes)?)),
    }
}

fn text(env: &Env<'_>, bytes: &JByteArray<'_>) -> Result<String, Raised> {
    String::from_utf8(env.convert_byte_array(bytes)?).map_err(|_| Raised::misuse("text is not UTF-8"))
}

fn optional_text(env: &Env<'_>, bytes: &JByteArray<'_>) -> Result<Option<String>, Raised> {
    if bytes.is_null() { Ok(None) } else { text(env, bytes).map(Some) }
}

fn now(now_ms: jlong, monotonic_ms: jlong) -> Now {
    gatepass_bridge::now(unsigned(now_ms), unsigned(monotonic_ms))
}

/// A moment before the beginning is the beginning.
fn unsigned(millis: jlong) -> u64 {
    u64::try_from(millis).unwrap_or(0)
}

fn signed(number: u64) -> jlong {
    jlong::try_from(number).unwrap_or(jlong::MAX)
}
