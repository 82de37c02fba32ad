/** Where tokens come from: the add-on's cache, and a memory of headers in front of it. */

import { Flights } from './flights.js';
import { crossing, native, text } from './native.js';
import { checkNames, documentText, list } from './options.js';

/** Headers that are remembered of each kind; a program with more targets crosses the border for them. */
const MAX_REMEMBERED = 1_000;

const OPTIONS = [
  'keyFilename',
  'credentials',
  'impersonate',
  'delegates',
  'subject',
  'selfSignedAccessTokens',
  'gdchAudience',
  'allowUserIdToken',
  'expectType',
  'quotaProjectId',
  'universeDomain',
  'trustedEndpoints',
  'suppliers',
  'clock',
];

/** Tokens of one principal. */
export class Source {
  #native;
  #clock;
  #flights;
  /** Kind → target → header, as long as each is fresh: the border need not be crossed for it. */
  #remembered = { id_token: new Map(), access_token: new Map(), self_signed_jwt: new Map() };

  constructor(options) {
    checkNames('GatePass', options, OPTIONS);
    const border = {
      credentials_file: options.keyFilename,
      credentials_json: documentText(options.credentials),
      impersonate: options.impersonate,
      delegates: list(options.delegates),
      subject: options.subject,
      self_signed_access_tokens: options.selfSignedAccessTokens,
      gdch_audience: options.gdchAudience,
      allow_user_id_token: options.allowUserIdToken,
      expect_type: options.expectType,
      quota_project_id: options.quotaProjectId,
      universe_domain: options.universeDomain,
      trusted_endpoints: list(options.trustedEndpoints),
      // Spreads refreshes; nothing secret depends on it.
      seed: Math.floor(Math.random() * Number.MAX_SAFE_INTEGER),
    };
    this.#native = crossing(() => new native.Source(JSON.stringify(border)));
    this.#clock = options.clock ?? Date.now;
    const suppliers = new Map(Object.entries(options.suppliers ?? {}));
    this.#flights = new Flights({ clock: this.#clock, suppliers });
  }

  /**
   * The value of the `Authorization` header.
   *
   * @param {'id_token' | 'access_token' | 'self_signed_jwt'} kind
   * @param {string} target the audience, or the scopes separated by spaces
   * @param {AbortSignal} [signal]
   */
  async header(kind, target, signal) {
    const remembered = this.#remembered[kind];
    const token = remembered.get(target);
    if (token !== undefined && this.#clock() < token.fresh_until_ms) return token.header;

    const look = () => crossing(() => this.#native.lookup(kind, text(target), this.#clock()));
    const { header, fresh_until_ms } = await this.#flights.settle(look, signal);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(target, { header, fresh_until_ms });
    return header;
  }

  /** The headers that go with an access token beside `Authorization`; known once a token was fetched. */
  get accessTokenHeaders() {
    return Object.fromEntries(JSON.parse(this.#native.accessTokenHeaders()));
  }
}
