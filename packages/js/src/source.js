/** Where tokens come from: the core's cache, and a memory of tokens in front of it. */

import { checkOptions, typed } from './arguments.js';
import { crossing } from './native.js';
import { documentText, list } from './options.js';

const OPTIONS = {
  keyFilename: 'string',
  credentials: 'document',
  impersonate: 'string',
  delegates: 'strings',
  subject: 'string',
  selfSignedAccessTokens: 'boolean',
  gdchAudience: 'string',
  allowUserIdToken: 'boolean',
  expectType: 'string',
  quotaProjectId: 'string',
  universeDomain: 'string',
  trustedEndpoints: 'strings',
  suppliers: 'object',
  clock: 'function',
};

/** Tokens of one principal. */
export class Source {
  #native;
  #clock;
  #monotonic;
  #flights;
  #host;
  #given;
  #limits;
  /** Kind → target → token, as long as each is fresh: the border need not be crossed for it. */
  #remembered = { id_token: new Map(), access_token: new Map(), self_signed_jwt: new Map() };

  /** @param {Host} host */
  constructor(host, options) {
    checkOptions('GatePass', options, OPTIONS);
    const suppliers = new Map(Object.entries(options.suppliers ?? {}));
    for (const [name, one] of suppliers) typed(`options.suppliers.${name}`, 'function', one);
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
    this.#host = host;
    this.#given = { clock: this.#clock, suppliers };
    this.#flights = host.flights(this.#given);
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
    const look = () => crossing(() => this.#native.lookup(kind, target, this.#clock(), this.#monotonic()));
    const found = await this.#flights.settle(look, signal);
    const others = kind === 'access_token' ? JSON.parse(this.#native.accessTokenHeaders()) : [];
    const token = new Token(found, others);
    const remembered = this.#remembered[kind];
    // A program with more targets crosses the border for them.
    if (remembered.size >= this.#limits.held_tokens) remembered.clear();
    remembered.set(target, token);
    return token;
  }

  /** Whether a call that was answered with `status` is worth another one, with the token that is there then. */
  isWorthRepeating(kind, target, { authorization }, status) {
    const now = [this.#clock(), this.#monotonic()];
    const isWorth = crossing(() =>
      this.#native.retryAfterRefusal(kind, target, authorization, status, ...now),
    );
    if (isWorth) this.#forget(kind, target, authorization);
    return isWorth;
  }

  /** Has a token that was handed out replaced before its time; says whether there is, or will be, another one. */
  invalidate(value) {
    for (const [kind, tokens] of Object.entries(this.#remembered)) {
      for (const [target, token] of tokens) {
        if (token.value !== value) continue;
        const { authorization } = token;
        const now = [this.#clock(), this.#monotonic()];
        this.#forget(kind, target, authorization);
        return crossing(() => this.#native.invalidate(kind, target, authorization, ...now));
      }
    }
    // It is none of those that are handed out now.
    return true;
  }

  /** Who the credentials are. */
  async principal(signal) {
    return await this.#alone(this.#native.principal(), signal);
  }

  /** A signature of the service account's. */
  async signature(bytes, signal) {
    return await this.#alone(this.#native.signBytes(bytes), signal);
  }

  /** Drives an operation that is no flight. */
  async #alone(op, signal) {
    try {
      return await this.#host.drive(op, signal, this.#given);
    } finally {
      op.cancel();
    }
  }

  #forget(kind, target, authorization) {
    const remembered = this.#remembered[kind];
    if (remembered.get(target)?.authorization === authorization) remembered.delete(target);
  }
}

/** A token, in the forms in which it is handed out. Each is made once. */
class Token {
  #authorization;
  #others;
  #expiresAt;
  #value;
  /** The names of headers that carry it, separated by commas → the headers, in both forms. */
  #forms = new Map();

  /** @param {[name: string, value: string][]} others the headers that go with it */
  constructor({ header, expires_at_ms, fresh_until_ms, fresh_until_monotonic_ms }, others) {
    this.#authorization = header;
    this.#others = others;
    this.#expiresAt = expires_at_ms;
    this.freshUntil = fresh_until_ms;
    this.freshUntilMonotonic = fresh_until_monotonic_ms;
  }

  /** The value of the header that carries it. */
  get authorization() {
    return this.#authorization;
  }

  /** The token itself. */
  get value() {
    return (this.#value ??= this.#authorization.slice(this.#authorization.indexOf(' ') + 1));
  }

  /** The token with its end. */
  get info() {
    return { token: this.value, expiresAt: new Date(this.#expiresAt) };
  }

  /** The headers that carry it; to be copied, not changed. */
  headers(names) {
    return this.#form(names).headers;
  }

  /** The same as a plain object. */
  plainHeaders(names) {
    return this.#form(names).plain;
  }

  #form(names) {
    let form = this.#forms.get(names);
    if (form === undefined) {
      const pairs = names.split(',').map((name) => [name, this.#authorization]);
      const plain = Object.freeze(Object.fromEntries([...pairs, ...this.#others]));
      form = { plain, headers: new Headers(plain) };
      this.#forms.set(names, form);
    }
    return form;
  }
}
