/** Which token goes with a call, and how: the core's decision for each URL. */

import { checkOptions, typed } from './arguments.js';
import { crossing } from './native.js';

/** How a client attaches tokens. */
export const CLIENT_OPTIONS = { tokenHeader: 'string', allowPlainHttp: 'boolean', grpc: 'object' };
const CHANNEL_OPTIONS = { isEncrypted: 'boolean', allowPlaintextLoopback: 'boolean' };

/** The status of HTTP that says that a token was refused. */
const UNAUTHORIZED = 401;

/** A URL for whoever asks for headers without one: only the names of the headers are of interest then. */
const NO_URL = 'https://localhost';

/** The tokens of one client. */
export class Calls {
  #host;
  #source;
  #kind;
  #target;
  #options;
  /** URL → plan; undefined, where the caller names none. */
  #plans = new Map();

  /**
   * @param {Host} host
   * @param {Source} source
   * @param {'id_token' | 'access_token'} kind
   * @param {string} [target] the audience, which else comes from each URL, or the scopes
   */
  constructor(host, source, kind, target, { tokenHeader, allowPlainHttp, grpc }) {
    this.#host = host;
    this.#source = source;
    this.#kind = kind;
    this.#target = target;
    this.#options = {
      token_header: tokenHeader,
      allow_plain_http: allowPlainHttp,
      grpc: grpc && channelOf(grpc),
    };
  }

  /**
   * The token for a call, itself if it is at hand.
   *
   * @param {string | URL} [url]
   * @returns {Attached | Promise<Attached>}
   */
  attach(url, signal) {
    const plan = this.#planFor(url);
    const token = this.#source.token(this.#kind, plan.target, signal);
    return token instanceof Promise
      ? token.then((token) => new Attached(plan, token))
      : new Attached(plan, token);
  }

  /** Whether a call that was answered with `status` is worth another one, with the token that is there then. */
  isWorthRepeating({ plan, token }, status) {
    return this.#source.isWorthRepeating(this.#kind, plan.target, token, status);
  }

  /** The same for a call that somebody else has sent with these headers, and that was refused. */
  isWorthRepeatingWithout(headers, url) {
    const plan = this.#planFor(url);
    const [name] = plan.headers.split(',');
    const authorization = typed(`headers.${name}`, 'string', headers[name]);
    return this.#source.isWorthRepeating(this.#kind, plan.target, { authorization }, UNAUTHORIZED);
  }

  #planFor(url) {
    const text = typeof url?.href === 'string' ? url.href : url;
    return this.#plans.get(text) ?? this.#plan(text);
  }

  #plan(url) {
    const [kind, target] = [this.#kind, this.#target];
    const audience = kind === 'id_token' ? target : undefined;
    // Without a URL an audience that was given is taken as it is.
    const href = url === undefined && target !== undefined ? NO_URL : hrefOf(url);
    const call = JSON.stringify({ url: href, kind, audience, ...this.#options });
    const plan = JSON.parse(crossing(() => this.#host.native.planCall(call)));
    const known = { target: kind === 'id_token' ? plan.audience : target, headers: plan.headers.join() };
    if (this.#plans.size >= this.#host.limits.held_tokens) this.#plans.clear();
    this.#plans.set(url, known);
    return known;
  }
}

/** A token and how it goes with a call. */
class Attached {
  constructor(plan, token) {
    this.plan = plan;
    this.token = token;
  }

  /** The headers that carry it, as a plain object; to be copied, not changed. */
  get plainHeaders() {
    return this.token.plainHeaders(this.plan.headers);
  }

  /** The same as `Headers`. */
  get headers() {
    return this.token.headers(this.plan.headers);
  }
}

/** The channel of gRPC calls, as it crosses the border. */
function channelOf(grpc) {
  const { isEncrypted = false, allowPlaintextLoopback } = checkOptions('grpc', grpc, CHANNEL_OPTIONS);
  return { is_encrypted: isEncrypted, allow_plaintext_loopback: allowPlaintextLoopback };
}

/** A URL as the HTTP client reads it: one that two parsers read differently would get a stranger's audience. */
export function hrefOf(url) {
  typed('url', 'url', url);
  return URL.canParse(url) ? new URL(url).href : String(url);
}
