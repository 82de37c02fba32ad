/**
 * The border to the native code (`bindings/node`), which decides everything. Whoever makes an object of this package
 * hands it over: nothing here loads it.
 *
 * Members of what it takes and gives are spelt as in its JSON, `fresh_until_ms`; times are Unix milliseconds.
 *
 * @typedef {object} Host what this package runs on; `node/host.js` is one
 * @property {object} native `Source`, `openVerifier`, `KeyCache`, `audienceForUrl`, `errorCodes` and others
 * @property {{ places: number, held_tokens: number }} limits the core's
 * @property {string[]} tokenHeaders the headers that may carry a token, in lower case
 * @property {{ token: number, member: number, byte: number }} keptCost the bytes at most that are kept here of a remembered
 *   token, its claims first of all: for each token, each member of an object or an array, each byte of the payload
 * @property {object} shared what is made once for the process, when it is first needed
 * @property {() => number} clock Unix time in milliseconds
 * @property {() => number} monotonic milliseconds of a clock that is never set
 * @property {(message: string) => void} warn tells whoever runs the program
 * @property {(op: object, signal?: AbortSignal, given?: Given) => Promise} drive carries out an operation
 * @property {(op: object) => object} driveAtOnce the same for an operation that needs no waiting
 * @property {(given: Given) => Flights} flights what carries out shared operations, and lets callers wait for them
 * @property {(given: Given) => { cache: object, flights: Flights }} keys what verifiers share: their issuers' keys
 *
 * @typedef {{ clock?: () => number, suppliers?: Map<string, Function> }} Given what the user may have given
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

/** The native code throws with the failure's JSON as the message. */
function failureOf(error) {
  try {
    return JSON.parse(error.message);
  } catch {
    throw error;
  }
}
