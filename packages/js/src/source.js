/** Where tokens come from: the core's cache, and a memory of tokens in front of it. */

import { crossing, text } from './native.js';
import { checkNames, documentText, list } from './options.js';

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
  #monotonic;
  #flights;
  #limits;
  /** Kind → target → token, as long as each is fresh: the border need not be crossed for it. */
  #remembered = { id_token: new Map(), access_token: new Map(), self_signed_jwt: new Map() };

  /** @param {Host} host */
  constructor(host, options) {
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
    this.#limits = host.limits;
    this.#native = crossing(() => new host.native.Source(JSON.stringify(border)));
    this.#clock = options.clock ?? host.clock;
    this.#monotonic = host.monotonic;
    const suppliers = new Map(Object.entries(options.suppliers ?? {}));
    this.#flights = host.flights({ clock: this.#clock, suppliers });
  }

  /**
   * The token: itself if it is at hand, because a promise costs more than finding it does, else a promise of it.
   *
   * @param {'id_token' | 'access_token' | 'self_signed_jwt'} kind
   * @param {string} target the audience, or the scopes separated by spaces
   * @param {AbortSignal} [signal]
   * @returns {Token | Promise<Token>}
   */
  token(kind, target, signal) {
    const known = this.#remembered[kind].get(target);
    if (known === undefined || !this.#isFresh(known)) return this.#fetch(kind, target, signal);
    return known;
  }

  /** By both clocks: the one may be set back, the other may stop while the machine is suspended. */
  #isFresh({ freshUntil, freshUntilMonotonic }) {
    return this.#clock() < freshUntil && this.#monotonic() < freshUntilMonotonic;
  }

  async #fetch(kind, target, signal) {
    const look = () =>
      crossing(() => this.#native.lookup(kind, text(target), this.#clock(), this.#monotonic()));
    const { header, fresh_until_ms, fresh_until_monotonic_ms } = await this.#flights.settle(look, signal);
    const others = kind === 'access_token' ? JSON.parse(this.#native.accessTokenHeaders()) : [];
    const token = new Token(header, others, fresh_until_ms, fresh_until_monotonic_ms);
    const remembered = this.#remembered[kind];
    // A program with more targets crosses the border for them.
    if (remembered.size >= this.#limits.held_tokens) remembered.clear();
    remembered.set(target, token);
    return token;
  }
}

/** A token, in the forms in which it is handed out. Each is made once. */
class Token {
  #authorization;
  #others;
  #headers;
  #plainHeaders;
  #value;

  /**
   * @param {string} authorization the value of that header
   * @param {[name: string, value: string][]} others the headers that go with it
   * @param {number} freshUntil Unix milliseconds
   * @param {number} freshUntilMonotonic the same by the monotonic clock
   */
  constructor(authorization, others, freshUntil, freshUntilMonotonic) {
    this.#authorization = authorization;
    this.#others = others;
    this.freshUntil = freshUntil;
    this.freshUntilMonotonic = freshUntilMonotonic;
  }

  /** The token itself. */
  get value() {
    return (this.#value ??= this.#authorization.slice(this.#authorization.indexOf(' ') + 1));
  }

  /** The headers that carry it; to be copied, not changed. */
  get headers() {
    return (this.#headers ??= new Headers(this.plainHeaders));
  }

  /** The same as a plain object. */
  get plainHeaders() {
    return (this.#plainHeaders ??= Object.freeze({
      authorization: this.#authorization,
      ...Object.fromEntries(this.#others),
    }));
  }
}
