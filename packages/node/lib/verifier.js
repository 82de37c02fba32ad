/** Checking received tokens. */

import { claimsOf } from './claims.js';
import { explainTo } from './explanation.js';
import { Flights } from './flights.js';
import { crossing, native, text } from './native.js';
import { checkNames } from './options.js';
import { VERIFIER_OPTIONS, bordered } from './verifier-options.js';

/** One policy, one set of keys, many tokens. */
export class Verifier {
  #native;
  #clock;
  #flights;

  constructor(options = {}) {
    checkNames('Verifier', options, VERIFIER_OPTIONS);
    const { preset = options.issuers === undefined ? 'google' : undefined } = options;
    const border = bordered({ ...options, preset });
    this.#native = crossing(() => new native.Verifier(JSON.stringify(border)));
    this.#clock = options.clock ?? Date.now;
    this.#flights = new Flights({ clock: this.#clock, suppliers: new Map() });
  }

  async verify(token, options = {}) {
    // What restricts a caller stands in the constructor: here it would be ignored, so it is refused.
    checkNames('verify', options, ['signal']);
    const { payload, is_unverified } = await this.#flights.settle(() => this.#check(token), options.signal);
    return claimsOf(payload, is_unverified);
  }

  async verifyHeaders(headers, options) {
    const value = (name) => text(typeof headers.get === 'function' ? headers.get(name) : headers[name]);
    const token = crossing(() =>
      this.#native.tokenFromHeaders(
        value('authorization'),
        value('x-serverless-authorization'),
        value('x-goog-iap-jwt-assertion'),
      ),
    );
    return await this.verify(token, options);
  }

  explain(token, options = {}) {
    return explainTo(this.#native, token, options, this.#clock());
  }

  #check(token) {
    const verdict = crossing(() => this.#native.check(text(token), this.#clock()));
    return typeof verdict === 'string' ? { status: 'accepted', payload: verdict, is_unverified: false } : verdict;
  }
}
