/** How often a thing can be done in a second. */

/** The arguments of calls that take none. */
const NUMBERS = Array.from({ length: 256 }, (_, i) => i);

/**
 * Calls per second of the clock: a process learns its processor time in steps of milliseconds only, which is more than a
 * batch of calls takes.
 *
 * @param {number} seconds for how long, without what `prepare` takes
 * @param {() => unknown[]} prepare gives what the next calls are made with
 * @param {(one: unknown) => unknown} call is waited for if it gives a promise
 */
export async function rate(seconds, prepare, call) {
  let [spent, calls] = [0, 0];
  while (spent < seconds * 1000) {
    const batch = prepare();
    const begin = performance.now();
    for (const one of batch) {
      const result = call(one);
      if (typeof result?.then === 'function') await result;
    }
    spent += performance.now() - begin;
    calls += batch.length;
  }
  return calls / (spent / 1000);
}

/** Calls per second of what needs nothing prepared. */
export async function repeated(seconds, call) {
  return await rate(seconds, () => NUMBERS, call);
}
