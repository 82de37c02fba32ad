/** Checking received tokens. */

import { Flights } from './flights.js';
import { crossing, native, text } from './native.js';
import { checkNames, documentText, list } from './options.js';

const OPTIONS = [
  'audience',
  'anyAudience',
  'preset',
  'issuers',
  'algorithms',
  'keys',
  'keysUrl',
  'leewaySeconds',
  'allowedEmails',
  'clock',
];

/** One policy, one set of keys, many tokens. */
export class Verifier {
  #native;
  #clock;
  #flights;

  constructor(options = {}) {
    checkNames('Verifier', options, OPTIONS);
    const border = {
      preset: options.preset ?? (options.issuers === undefined ? 'google' : undefined),
      issuers: list(options.issuers),
      algorithms: list(options.algorithms),
      audiences: list(options.audience),
      any_audience: options.anyAudience,
      keys: documentText(options.keys),
      keys_url: options.keysUrl,
      leeway_seconds: options.leewaySeconds,
      allowed_emails: options.allowedEmails && list(options.allowedEmails),
    };
    this.#native = crossing(() => new native.Verifier(JSON.stringify(border)));
    this.#clock = options.clock ?? Date.now;
    this.#flights = new Flights({ clock: this.#clock, suppliers: new Map() });
  }

  async verify(token, options = {}) {
    // What restricts a caller stands in the constructor: here it would be ignored, so it is refused.
    checkNames('verify', options, ['signal']);
    const { payload } = await this.#flights.settle(() => this.#check(token), options.signal);
    return JSON.parse(payload);
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

  #check(token) {
    const verdict = crossing(() => this.#native.check(text(token), this.#clock()));
    return typeof verdict === 'string' ? { status: 'accepted', payload: verdict } : verdict;
  }
}
