/** Where tokens come from: the core's cache, and a memory of tokens in front of it. */

import { crossing, text } from './native.js';
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
    this.#native = crossing(() => new host.native.Source(JSON.stringify(border)));
    this.#clock = options.clock ?? host.clock;
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
    return known !== undefined && this.#clock() < known.freshUntil
      ? known
      : this.#fetch(kind, target, signal);
  }

  async #fetch(kind, target, signal) {
    const look = () => crossing(() => this.#native.lookup(kind, text(target), this.#clock()));
    const { header, fresh_until_ms } = await this.#flights.settle(look, signal);
    const others = kind === 'access_token' ? JSON.parse(this.#native.accessTokenHeaders()) : [];
    const token = new Token(header, others, fresh_until_ms);
    const remembered = this.#remembered[kind];
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
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
   */
  constructor(authorization, others, freshUntil) {
    this.#authorization = authorization;
    this.#others = others;
    this.freshUntil = freshUntil;
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
