/** Checking received tokens. */

import { claimsOf } from './claims.js';
import { explainTo } from './explanation.js';
import { Flights } from './flights.js';
import { crossing, native, text } from './native.js';
import { checkNames } from './options.js';
import { VERIFIER_OPTIONS, bordered } from './verifier-options.js';

/** Claims that a verifier keeps; of more tokens than these they are read anew. */
const MAX_KEPT = 4_096;

/** One policy, one set of keys, many tokens. */
export class Verifier {
  #native;
  #clock;
  #flights;
  /** Claims by the add-on's number of their token: while it is accepted, nothing need be made for it. */
  #kept = new Map();

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
    const { signal } = options;
    signal?.throwIfAborted();
    const kept = this.#kept.get(this.#native.recall(text(token), this.#clock()));
    if (kept !== undefined) return kept;

    const look = () => crossing(() => this.#native.check(text(token), this.#clock()));
    const { payload, is_unverified, entry } = await this.#flights.settle(look, signal);
    const claims = claimsOf(payload, is_unverified);
    if (entry !== 0) this.#keep(entry, claims);
    return claims;
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

  #keep(entry, claims) {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(entry, claims);
  }
}
