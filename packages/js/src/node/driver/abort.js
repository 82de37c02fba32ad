/** Leaving what takes too long. */

import { StepFailure } from './step-failure.js';

/** `promise`, or the signal's reason as soon as it is aborted. What the promise stands for goes on. */
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
 * Does `work` and hands it a signal: aborted when the time is up, or with `signal`. Either one's reason is thrown.
 *
 * @param {AbortSignal} [signal]
 * @param {(signal: AbortSignal) => Promise} work
 */
export async function within(milliseconds, signal, work) {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new StepFailure('timeout', `not finished within ${milliseconds} ms`)),
    milliseconds,
  );
  const abort = () => limit.abort(signal.reason);
  signal?.addEventListener('abort', abort);
  try {
    return await work(limit.signal);
  } catch (error) {
    limit.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
