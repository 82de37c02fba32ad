/** Options as users write them, and as they cross the border. */

import { GatepassError } from './errors.js';
import { text } from './native.js';

/**
 * Refuses an option that nobody knows: one that is misspelt must not be as good as none.
 *
 * @param {string} of whose options these are, for the message
 * @param {string[]} known the names that there are
 */
export function checkNames(of, options, known) {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new GatepassError({
        code: 'INVALID_OPTION',
        message: `${of} has no option ${JSON.stringify(name)}; it has ${known.join(', ')}`,
      });
    }
  }
}

/** A document as its text, whether it comes as that or parsed. */
export function documentText(document) {
  return typeof document === 'object' ? JSON.stringify(document) : document;
}

/** One string or several, as several. */
export function list(values) {
  return values === undefined ? [] : [values].flat().map(text);
}
