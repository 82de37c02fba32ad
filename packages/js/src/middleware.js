/** What the middlewares of all frameworks do with a request that arrives. */

import { typed } from './arguments.js';

/** The options that are not the verifier's. */
const TYPES = {
  optional: 'boolean',
  openPaths: 'strings',
  allowCorsPreflight: 'boolean',
  onRefusal: 'function',
};

/** Request → the claims of its token. */
const claims = new WeakMap();

/** The claims of a request that a middleware has let through. */
export function claimsOf(request) {
  const found = claims.get(request) ?? claims.get(request.raw);
  if (found !== undefined) return found;
  throw new Error(
    'the request has no claims: requireIdToken did not run for it, or let it through without a token',
  );
}

/** Decides about requests. A request is Node's, or like one. */
export class Guard {
  #verifier;
  #options;

  /** @param {(options: object) => Verifier} verifierOf makes the verifier */
  constructor(verifierOf, options = {}) {
    typed('options', 'object', options);
    const own = Object.entries(options).filter(([name]) => Object.hasOwn(TYPES, name));
    for (const [name, value] of own) if (value !== undefined) typed(`options.${name}`, TYPES[name], value);
    this.#options = Object.fromEntries(own);
    const others = Object.entries(options).filter(([name]) => !Object.hasOwn(TYPES, name));
    this.#verifier = verifierOf(Object.fromEntries(others));
  }

  /**
   * The claims of a request that may go on; null where it may without any.
   *
   * @param {string} url what was asked for, whatever the framework has made of it
   * @throws {GatepassError} with the `refusal` to answer with
   */
  async check(request, url) {
    if (this.#isOpen(request, url)) return null;
    try {
      const found = await this.#verifier.verifyReceived(request);
      claims.set(request, found);
      return found;
    } catch (error) {
      return this.#without(error);
    }
  }

  /**
   * The same for a call of gRPC, whose headers are asked for by their names; a promise only where something has to be
   * fetched first.
   *
   * @param {(name: string) => string[]} valuesOf
   */
  checkCall(valuesOf) {
    try {
      const found = this.#verifier.verifyCall(valuesOf);
      return found instanceof Promise ? found.catch((error) => this.#without(error)) : found;
    } catch (error) {
      return this.#without(error);
    }
  }

  /** That a request may go on without claims, although there is this error. */
  #without(error) {
    if (this.#options.optional && error.code === 'TOKEN_MISSING') return null;
    throw error;
  }

  /**
   * Tells the service's log, or the hook in its place, of a refusal.
   *
   * @param {{ warn: (line: string) => void, error: (line: string) => void }} log
   */
  tell(error, request, url, log) {
    if (this.#options.onRefusal) {
      const told = this.#options.onRefusal(error, request);
      // The answer does not wait for it, and a rejection that nobody handles would end everything.
      if (typeof told?.then === 'function') Promise.resolve(told).catch((thrown) => log.error(failed(thrown)));
      return;
    }
    const { level, message } = this.#verifier.refusalLog(error, url);
    const line = `gatepass: ${message}`;
    if (level === 'error') log.error(line);
    else log.warn(line);
  }

  #isOpen({ method, headers }, url) {
    const { openPaths = [], allowCorsPreflight = false } = this.#options;
    if (allowCorsPreflight && method === 'OPTIONS') {
      if (headers.origin !== undefined && headers['access-control-request-method'] !== undefined) return true;
    }
    return [openPaths].flat().includes(pathOf(url));
  }
}

/** The line about a hook that has thrown; what it has thrown may hold anything. */
export function failed(thrown) {
  return `gatepass: onRefusal has thrown ${thrown?.constructor?.name ?? typeof thrown}`;
}

function pathOf(url) {
  return url.split(/[?#]/, 1)[0];
}
