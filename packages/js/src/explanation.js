/** What a token is, and all that is wrong with it. */

import { crossing, text } from './native.js';
import { checkNames } from './options.js';
import { VERIFIER_OPTIONS, bordered } from './verifier-options.js';

/** Where a token was seen. */
const PLACE = ['url', 'header'];

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
  checkNames('explain', options, [...VERIFIER_OPTIONS, ...PLACE]);
  const { clock = host.clock } = options;
  const border = JSON.stringify({ ...bordered(options), ...placeOf(options) });
  return new Explanation(crossing(() => host.native.explain(border, text(token), clock())));
}

/**
 * Explains a token to a verifier.
 *
 * @param verifier the native one
 * @param {number} now Unix milliseconds
 */
export function explainTo(verifier, token, options, now) {
  checkNames('explain', options, PLACE);
  const place = JSON.stringify(placeOf(options));
  return new Explanation(crossing(() => verifier.explain(text(token), place, now)));
}

function placeOf({ url, header }) {
  return { url, header };
}
