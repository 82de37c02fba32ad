/** Checking received tokens. */

import { checkOptions, typed } from './arguments.js';
import { claimsOf } from './claims.js';
import { explainTo } from './explanation.js';
import { linesOf, receivedValuesOf, valuesOf } from './headers.js';
import { crossing } from './native.js';
import { VERIFIER_OPTIONS, bordered } from './verifier-options.js';

/** One policy, one set of keys, many tokens. */
export class Verifier {
  #host;
  #native;
  #clock;
  #monotonic;
  #flights;
  #headers;
  #kept;

  /** @param {Host} host */
  constructor(host, options = {}) {
    checkOptions('Verifier', options, VERIFIER_OPTIONS);
    const { clock } = options;
    // By another clock the same keys have another age.
    const { cache, flights } =
      clock === undefined ? (host.shared.keys ??= host.keys()) : host.keys({ clock });
    this.#host = host;
    const border = { ...bordered(options), host_cost: host.keptCost };
    const op = crossing(() => host.native.openVerifier(JSON.stringify(border), cache));
    for (const warning of host.driveAtOnce(op).warnings) host.warn(warning);
    this.#native = crossing(() => op.verifier());
    this.#clock = clock ?? host.clock;
    this.#monotonic = host.monotonic;
    this.#flights = flights;
    this.#headers = host.tokenHeaders;
    this.#kept = new KeptClaims(host.limits.places);
  }

  async verify(token, options) {
    typed('token', 'string', token);
    const { verify } = this.#native;
    const look = (isWhole) => verify(token, this.#clock(), this.#monotonic(), isWhole);
    const claims = this.#claims(look, signalOf(options));
    // A promise that is returned takes longer than one that is awaited.
    return claims instanceof Promise ? await claims : claims;
  }

  async verifyHeaders(headers, options) {
    return this.#verifyValues(valuesOf(headers, this.#headers), options);
  }

  /** The same for a request that a server of Node's has received. */
  async verifyReceived(request) {
    return this.#verifyValues(receivedValuesOf(request, this.#headers));
  }

  /**
   * The claims of a call whose headers are asked for by their names, or a promise of them where something has to be fetched
   * first: most calls are by callers who are known, and need not wait.
   *
   * @param {(name: string) => string[]} valuesOf all values of the header with this name, which is in lower case
   */
  verifyCall(valuesOf) {
    return this.#verifyValues(this.#headers.map((name) => linesOf(valuesOf(name))));
  }

  #verifyValues([authorization, serverless, iap], options) {
    const { verifyHeaders } = this.#native;
    const look = (isWhole) =>
      verifyHeaders(authorization, serverless, iap, this.#clock(), this.#monotonic(), isWhole);
    return this.#claims(look, signalOf(options));
  }

  explain(token, options = {}) {
    return explainTo(this.#native, token, options, this.#clock());
  }

  /** What a service writes to its log about a request that it has refused. */
  refusalLog({ code, message, claimedEmail }, path) {
    const fields = JSON.stringify({ code, message, claimed_email: claimedEmail });
    return JSON.parse(crossing(() => this.#host.native.refusalLog(fields, path)));
  }

  /**
   * The claims, or a promise of them where there is something to be done first.
   *
   * @param look asks the core, which gives a plain value where it can: the number of a token whose claims are kept, or
   *   a payload that is seen for the first time, which is not worth keeping before it is seen again
   */
  #claims(look, signal) {
    const found = crossing(() => look(false));
    if (typeof found === 'string') return claimsOf(found, false);
    if (typeof found === 'object') return this.#settle(look, signal, found);
    return this.#kept.of(found) ?? this.#settle(look, signal);
  }

  async #settle(look, signal, first) {
    const whole = () => crossing(() => look(true));
    const { payload, is_unverified, entry } = await this.#flights.settle(whole, signal, first);
    const claims = claimsOf(payload, is_unverified);
    if (entry !== 0) this.#kept.keep(entry, claims);
    return claims;
  }
}

/**
 * Claims by the entry of their token, the number that the core remembers it by: while it is accepted, nothing need be
 * made for it.
 *
 * An entry names one token for ever. Its low bits are a place, which the core gives to another token only when it has
 * forgotten this one: so this forgets with it, and has no bound of its own.
 */
class KeptClaims {
  /** By place; without gaps, which would make them slower kinds of arrays. */
  #entries = [];
  #claims = [];
  #places;

  /** @param {number} places how many there are, a power of two */
  constructor(places) {
    this.#places = places;
  }

  /** The claims; undefined where there are none, or those of another token. */
  of(entry) {
    const place = this.#placeOf(entry);
    return this.#entries[place] === entry ? this.#claims[place] : undefined;
  }

  keep(entry, claims) {
    const place = this.#placeOf(entry);
    while (this.#entries.length <= place) {
      this.#entries.push(0);
      this.#claims.push(undefined);
    }
    this.#entries[place] = entry;
    this.#claims[place] = claims;
  }

  #placeOf(entry) {
    return entry & (this.#places - 1);
  }
}

/** What restricts a caller is an option of the constructor: here it would be ignored, so it is refused. */
function signalOf(options) {
  if (options === undefined) return undefined;
  checkOptions('verify', options, { signal: 'signal' });
  options.signal?.throwIfAborted();
  return options.signal;
}
