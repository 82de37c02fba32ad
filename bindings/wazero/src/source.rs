//! Tokens of one principal.

use gatepass_bridge::{self as bridge, Lookup, Source, TokenView};

use crate::room::{Input, Output, Room, answer, misuse};

/// A source with these options, as JSON: its handle.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_new(options: u32) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [options] = input.texts([options])?;
        let source = Source::new(options)?;
        Ok(room.sources.keep(source).into())
    })
}

/// The token of a kind for a target at this moment, or who gets it: what was found (`FRESH` and so on), the handle of the
/// operation to drive or 0, its flight or the one to wait for or 0, the three times of the token, its header.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_lookup(
    source: u32,
    kind: u32,
    target: u32,
    now_ms: u64,
    monotonic_ms: u64,
) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [kind, target] = input.texts([kind, target])?;
        let source = room.sources.find(source).ok_or_else(|| misuse("source"))?;
        let lookup = source.lookup(kind, target, bridge::now(now_ms, monotonic_ms))?;
        let (found, token, op) = match lookup {
            Lookup::Fresh(token) => (FRESH, Some(token), None),
            Lookup::Stale(token, op) => (STALE, Some(token), op),
            Lookup::Fetch(op) => (FETCH, None, Some(op)),
            Lookup::Join(flight) => {
                return Ok(Output::default().with_u32(JOIN).with_u32(0).with_u64(flight));
            }
        };
        Ok(with_token(turn(room, found, op), token.as_ref()))
    })
}

fn with_token(output: Output, token: Option<&TokenView>) -> Output {
    let Some(token) = token else { return output };
    output
        .with_u64(token.expires_at_ms())
        .with_u64(token.fresh_until_ms())
        .with_u64(token.fresh_until_monotonic_ms())
        .with_bytes(token.header().as_bytes())
}

/// What a lookup or a check has found, in the numbers of the C ABI.
pub(crate) const FRESH: u32 = 1;
pub(crate) const STALE: u32 = 2;
pub(crate) const FETCH: u32 = 3;
pub(crate) const JOIN: u32 = 4;

/// What was found, the handle of the operation, and its flight.
pub(crate) fn turn(room: &mut Room, found: u32, op: Option<bridge::Op>) -> Output {
    let flight = op.as_ref().and_then(bridge::Op::flight).unwrap_or(0);
    let op = op.map_or(0, |op| room.ops.keep(op));
    Output::default().with_u32(found).with_u32(op).with_u64(flight)
}

/// Whether a request that was answered with this status is worth repeating once, after a new look-up.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_retry_after_refusal(
    source: u32,
    kind: u32,
    target: u32,
    header: u32,
    status: u32,
    now_ms: u64,
    monotonic_ms: u64,
) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [kind, target, header] = input.texts([kind, target, header])?;
        let source = room.sources.find(source).ok_or_else(|| misuse("source"))?;
        // No status has a number beyond these: the core knows none of them.
        let status = u16::try_from(status).unwrap_or(u16::MAX);
        let now = bridge::now(now_ms, monotonic_ms);
        Ok(source.retry_after_refusal(kind, target, header, status, now)?.into())
    })
}

/// Replaces the token of this header value before its time, at most once a minute: whether it did.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_invalidate(
    source: u32,
    kind: u32,
    target: u32,
    header: u32,
    now_ms: u64,
    monotonic_ms: u64,
) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [kind, target, header] = input.texts([kind, target, header])?;
        let source = room.sources.find(source).ok_or_else(|| misuse("source"))?;
        Ok(source.invalidate(kind, target, header, bridge::now(now_ms, monotonic_ms))?.into())
    })
}

/// The operation that says who the credentials are: its handle.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_principal(source: u32) -> u64 {
    answer(|room| {
        let op = room.sources.find(source).ok_or_else(|| misuse("source"))?.principal();
        Ok(room.ops.keep(op).into())
    })
}

/// The operation that signs bytes as the credentials' service account: its handle.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_sign_bytes(source: u32, bytes: u32) -> u64 {
    let input = Input::take();
    answer(|room| {
        let [bytes] = input.bytes([bytes])?;
        let op = room.sources.find(source).ok_or_else(|| misuse("source"))?.sign_bytes(bytes);
        Ok(room.ops.keep(op).into())
    })
}

/// The headers that go with an access token in addition to `Authorization`, as JSON.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn source_access_token_headers(source: u32) -> u64 {
    answer(|room| {
        let source = room.sources.find(source).ok_or_else(|| misuse("source"))?;
        Ok(source.access_token_headers().into())
    })
}
