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
    this.#native = crossing(() => native.verifier(JSON.stringify(border)));
    this.#clock = options.clock ?? Date.now;
    this.#flights = new Flights({ clock: this.#clock, suppliers: new Map() });
  }

  async verify(token, options) {
    const { verify } = this.#native;
    const look = (isWhole) => verify(text(token), this.#clock(), isWhole);
    return this.#claims(look, signalOf(options));
  }

  async verifyHeaders(headers, options) {
    const { verifyHeaders } = this.#native;
    const value = typeof headers.get === 'function' ? (name) => headers.get(name) : (name) => headers[name];
    const authorization = textIfAny(value('authorization'));
    const serverless = textIfAny(value('x-serverless-authorization'));
    const iap = textIfAny(value('x-goog-iap-jwt-assertion'));
    const look = (isWhole) => verifyHeaders(authorization, serverless, iap, this.#clock(), isWhole);
    return this.#claims(look, signalOf(options));
  }

  explain(token, options = {}) {
    return explainTo(this.#native, token, options, this.#clock());
  }

  /**
   * The claims, or a promise of them where there is something to be done first.
   *
   * @param look asks the add-on, which gives a plain value where it can: the number of a token whose claims are kept, or
   *   a payload that is seen for the first time, which is not worth keeping before it is seen again
   */
  #claims(look, signal) {
    const found = crossing(() => look(false));
    if (typeof found === 'string') return claimsOf(found, false);
    if (typeof found === 'object') return this.#settle(look, signal, found);
    return this.#kept.get(found) ?? this.#settle(look, signal);
  }

  async #settle(look, signal, first) {
    const whole = () => crossing(() => look(true));
    const { payload, is_unverified, entry } = await this.#flights.settle(whole, signal, first);
    const claims = claimsOf(payload, is_unverified);
    if (entry !== 0) this.#keep(entry, claims);
    return claims;
  }

  #keep(entry, claims) {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(entry, claims);
  }
}

/** What is no string is as good as no header. */
function textIfAny(value) {
  return typeof value === 'string' ? value : undefined;
}

/** What restricts a caller stands in the constructor: here it would be ignored, so it is refused. */
function signalOf(options) {
  if (options === undefined) return undefined;
  checkNames('verify', options, ['signal']);
  options.signal?.throwIfAborted();
  return options.signal;
}
