/** What a token is, and all that is wrong with it. */

import { checkOptions, typed } from './arguments.js';
import { crossing } from './native.js';
import { VERIFIER_OPTIONS, bordered } from './verifier-options.js';

/** Where a token was seen. */
const PLACE = { url: 'url', header: 'string' };

/** An explanation; printed, it is its text. */
class Explanation {
  constructor(json) {
    Object.assign(this, JSON.parse(json));
  }

  toString() {
    return this.text;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return this.text;
  }
}

export function explain(host, token, options = {}) {
  typed('token', 'string', token);
  checkOptions('explain', options, { ...VERIFIER_OPTIONS, ...PLACE });
  const { clock = host.clock } = options;
  const border = JSON.stringify({ ...bordered(options), ...placeOf(options) });
  return new Explanation(crossing(() => host.native.explain(border, token, clock())));
}

/**
 * Explains a token to a verifier.
 *
 * @param verifier the native one
 * @param {number} now Unix milliseconds
 */
export function explainTo(verifier, token, options, now) {
  typed('token', 'string', token);
  checkOptions('explain', options, PLACE);
  const place = JSON.stringify(placeOf(options));
  return new Explanation(crossing(() => verifier.explain(token, place, now)));
}

function placeOf({ url, header }) {
  return { url, header };
}
