/** Leaving what takes too long, and staying for what is awaited. */

import { StepFailure } from './step-failure.js';

/** `promise`, or the signal's reason as soon as it is aborted. The work itself goes on. */
export async function abortable(promise, signal) {
  if (signal === undefined) return await promise;
  let abort;
  const aborted = new Promise((_, reject) => (abort = () => reject(signal.reason)));
  signal.addEventListener('abort', abort);
  // What made the promise may have taken the caller away.
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Does `work` and hands it a signal: aborted when the time is up, or with `signal`. Either one's reason is thrown then,
 * whether the work heeds the signal or not.
 *
 * @param {AbortSignal} [signal]
 * @param {(signal: AbortSignal) => Promise} work
 */
export async function within(milliseconds, signal, work) {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const timeUp = () => limit.abort(new StepFailure('timeout', `not finished within ${milliseconds} ms`));
  const timer = setTimeout(timeUp, milliseconds);
  // In Node.js a timer keeps the process alive.
  timer.unref?.();
  const abort = () => limit.abort(signal.reason);
  signal?.addEventListener('abort', abort);
  try {
    return await abortable(work(limit.signal), limit.signal);
  } catch (error) {
    limit.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** How many calls await something, and the timer that keeps the process alive for them. */
let awaiting = 0;
let keeper;

/**
 * `promise`, or the signal's reason as soon as it is aborted; until then the process stays alive. Steps by themselves
 * do not keep it: all their sockets and timers are unref'd.
 */
export async function awaited(promise, signal) {
  awaiting += 1;
  keeper ??= setInterval(() => {}, 2 ** 30);
  try {
    return await abortable(promise, signal);
  } finally {
    awaiting -= 1;
    if (awaiting === 0) {
      clearInterval(keeper);
      keeper = undefined;
    }
  }
}
