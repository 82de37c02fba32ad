/**
 * The border to the native code (`bindings/node`), which decides everything. Whoever makes an object of this package
 * hands it over: nothing here loads it.
 *
 * Members of what it takes and gives are spelt as in its JSON, `fresh_until_ms`; times are Unix milliseconds.
 *
 * @typedef {object} Host what this package runs on; `node/host.js` is one
 * @property {object} native `Source`, `verifier`, `Op`, `audienceForUrl`, `errorCodes`, `PLACES`, `VERSION`
 * @property {Record<string, string | undefined>} environment the process's variables
 * @property {object} shared what is made once for the process
 * @property {() => number} clock the time in Unix milliseconds
 * @property {(options: { clock: () => number, suppliers: Map<string, Function> }) => Flights} flights what carries out
 *   steps for one source or verifier, and awaits what others fetch
 */

import { errorFrom } from './errors.js';

/** Makes a call to the native code and throws its errors as this package's. */
export function crossing(call) {
  try {
    return call();
  } catch (error) {
    throw errorFrom(failureOf(error));
  }
}

/** What is no string crosses as an empty one: the core then says what is missing, in one error for all. */
export function text(value) {
  return typeof value === 'string' ? value : '';
}

/** The native code throws with the failure's JSON as the message. */
function failureOf(error) {
  try {
    return JSON.parse(error.message);
  } catch {
    throw error;
  }
}
