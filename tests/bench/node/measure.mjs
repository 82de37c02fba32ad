/** How often a thing can be done in a second. */

/** Calls between two looks at the clock. */
const BATCH = 16;

/**
 * Calls per second.
 *
 * @param {number} seconds for how long
 * @param {(i: number) => unknown} call is given the number of the call; waited for if it gives a promise
 */
export async function rate(seconds, call) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let calls = 0;
  let now;
  do {
    for (let i = 0; i < BATCH; i++) {
      const result = call(calls++);
      if (typeof result?.then === 'function') await result;
    }
    now = performance.now();
  } while (now < end);
  return calls / ((now - begin) / 1000);
}
