/** How often a thing can be done in a second. */

import { isMainThread } from 'node:worker_threads';

/** The arguments of calls that take none. */
const NUMBERS = Array.from({ length: 256 }, (_, i) => i);

/**
 * Milliseconds since some moment. The main thread alone is measured by the processor time of the process, which is the
 * same whoever else is on the machine; threads beside each other are not, for they may wait for each other.
 */
function now() {
  if (!isMainThread) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Calls per second.
 *
 * @param {number} seconds for how long, without what `prepare` takes
 * @param {() => unknown[]} prepare gives what the next calls are made with
 * @param {(one: unknown) => unknown} call is waited for if it gives a promise
 */
export async function rate(seconds, prepare, call) {
  let [spent, calls] = [0, 0];
  while (spent < seconds * 1000) {
    const batch = prepare();
    const begin = now();
    for (const one of batch) {
      const result = call(one);
      if (typeof result?.then === 'function') await result;
    }
    spent += now() - begin;
    calls += batch.length;
  }
  return calls / (spent / 1000);
}

/** Calls per second of what needs nothing prepared. */
export async function repeated(seconds, call) {
  return await rate(seconds, () => NUMBERS, call);
}
