//! gatepass for Go without cgo: the handles of [`gatepass_bridge`] as functions of a WebAssembly module, which the package
//! `packages/go/internal/native` calls in wazero. Glue only; nothing is decided here.
//!
//! A handle is a number that counts from 1. Texts go in one after the other, in the room that [`input`] has made; their
//! lengths are arguments. What comes out stays where it is until the next call: its address in the high half of the
//! result, its length in the low half, with the highest bit where it is the JSON form of an error. Integers in it are
//! little-endian.
//!
//! Times are milliseconds: `now_ms` since the epoch, `monotonic_ms` of a clock that is never set. After a panic the instance
//! is not to be used any more.

// `no_mangle` and the block of imports are unsafe by name. There is no other use.
#![allow(unsafe_code)]

mod host;
mod room;
mod source;
mod verifier;

use gatepass_bridge::{self as bridge, Failure};

use room::{Input, ROOM, answer, misuse};

/// Makes room for the texts of the next call, and gives its address.
#[unsafe(no_mangle)]
pub extern "C" fn input(length: u32) -> u32 {
    ROOM.with_borrow_mut(|room| room.make_input(length))
}

/// The version of gatepass, the same in all its packages.
#[unsafe(no_mangle)]
pub extern "C" fn version() -> u64 {
    answer(|_| Ok(bridge::VERSION.into()))
}

/// Every error code, as a JSON array.
#[unsafe(no_mangle)]
pub extern "C" fn error_codes() -> u64 {
    answer(|_| Ok(bridge::error_codes().into()))
}

/// The bounds that hosts keep to, as a JSON object; see [`bridge::limits`].
#[unsafe(no_mangle)]
pub extern "C" fn limits() -> u64 {
    answer(|_| Ok(bridge::limits().into()))
}

/// The names of the headers that may carry a token, as a JSON array; see [`bridge::token_headers`].
#[unsafe(no_mangle)]
pub extern "C" fn token_headers() -> u64 {
    answer(|_| Ok(bridge::token_headers().into()))
}

/// The error of a call that has ended in a panic, of which the host knows this much. Asked of another instance.
#[unsafe(no_mangle)]
pub extern "C" fn panicked(message: u32) -> u64 {
    let input = Input::take();
    answer(|_| {
        let [message] = input.texts([message])?;
        Err(Failure::panicked(message))
    })
}

/// What a service writes to its log about a request that it has refused, as JSON; see [`bridge::refusal_log`].
#[unsafe(no_mangle)]
pub extern "C" fn refusal_log(refusal: u32, path: u32) -> u64 {
    let input = Input::take();
    answer(|_| {
        let [refusal, path] = input.texts([refusal, path])?;
        Ok(bridge::refusal_log(refusal, path)?.into())
    })
}

/// The audience to ask for when calling a URL.
#[unsafe(no_mangle)]
pub extern "C" fn audience_for_url(url: u32) -> u64 {
    let input = Input::take();
    answer(|_| {
        let [url] = input.texts([url])?;
        Ok(bridge::audience_for_url(url)?.into())
    })
}

/// How a request carries its token, both JSON; see [`bridge::plan_call`].
#[unsafe(no_mangle)]
pub extern "C" fn plan_call(call: u32) -> u64 {
    let input = Input::take();
    answer(|_| {
        let [call] = input.texts([call])?;
        Ok(bridge::plan_call(call)?.into())
    })
}

/// Both spellings of a URL that is its own audience, as a JSON array.
#[unsafe(no_mangle)]
pub extern "C" fn same_audience_spellings(audience: u32) -> u64 {
    let input = Input::take();
    answer(|_| {
        let [audience] = input.texts([audience])?;
        Ok(bridge::same_audience_spellings(audience).into())
    })
}

/// The operation that asks for the audiences of the Cloud Run service that this process is: its handle.
#[unsafe(no_mangle)]
pub extern "C" fn own_audiences() -> u64 {
    answer(|room| Ok(room.ops.keep(bridge::Op::own_audiences()).into()))
}

/// Explains a token to the verifier whose options these are; see [`bridge::explain_token`].
#[unsafe(no_mangle)]
pub extern "C" fn explain(options: u32, token: u32, now_ms: u64) -> u64 {
    let input = Input::take();
    answer(|_| {
        let [options, token] = input.bytes([options, token])?;
        let token = String::from_utf8_lossy(token);
        Ok(bridge::explain_token(room::text(options)?, &token, now_ms)?.into())
    })
}

/// Takes the reply to the last step and gives the next, both JSON.
#[unsafe(no_mangle)]
pub extern "C" fn op_resume(op: u32, reply: u32, now_ms: u64, monotonic_ms: u64) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [reply] = input.texts([reply])?;
        let op = room.ops.find(op).ok_or_else(|| misuse("operation"))?;
        Ok(op.resume(bridge::now(now_ms, monotonic_ms), reply).into())
    })
}

/// Ends an operation and gives its flight up.
#[unsafe(no_mangle)]
pub extern "C" fn op_free(op: u32) {
    ROOM.with_borrow_mut(|room| drop(room.ops.take(op)));
}
