/** Where tokens come from: the add-on's cache, and a memory of tokens in front of it. */

import { Flights } from './flights.js';
import { crossing, native, text } from './native.js';
import { checkNames, documentText, list } from './options.js';

/** Tokens that are remembered of each kind; a program with more targets crosses the border for them. */
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
  /** Kind → target → token, as long as each is fresh: the border need not be crossed for it. */
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
   * The token, at hand or fetched.
   *
   * @param {'id_token' | 'access_token' | 'self_signed_jwt'} kind
   * @param {string} target the audience, or the scopes separated by spaces
   * @param {AbortSignal} [signal]
   * @returns {Promise<Token>}
   */
  async token(kind, target, signal) {
    const remembered = this.#remembered[kind];
    const known = remembered.get(target);
    if (known !== undefined && this.#clock() < known.freshUntil) return known;

    const look = () => crossing(() => this.#native.lookup(kind, text(target), this.#clock()));
    const { header, fresh_until_ms } = await this.#flights.settle(look, signal);
    const others = kind === 'access_token' ? JSON.parse(this.#native.accessTokenHeaders()) : [];
    const token = new Token(header, others, fresh_until_ms);
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(target, token);
    return token;
  }
}

/** A token, as the headers that carry it. */
class Token {
  #authorization;
  #others;
  #headers;

  /**
   * @param {string} authorization the value of that header
   * @param {[name: string, value: string][]} others the headers that go with it
   * @param {number} freshUntil Unix milliseconds
   */
  constructor(authorization, others, freshUntil) {
    this.#authorization = authorization;
    this.#others = others;
    this.freshUntil = freshUntil;
  }

  /** The token itself. */
  get value() {
    return this.#authorization.slice(this.#authorization.indexOf(' ') + 1);
  }

  /** Made once, for a copy costs far less; so nobody may change them. */
  get headers() {
    return (this.#headers ??= new Headers([['authorization', this.#authorization], ...this.#others]));
  }
}
