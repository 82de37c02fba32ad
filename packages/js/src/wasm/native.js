/**
 * The WebAssembly module (`bindings/wasm`) in the place of the native add-on: the same names, arguments and answers.
 *
 * A panic leaves an instance of the module unusable. Another one takes its place, and what was made in the old one is made
 * again there when it is next asked for, from the same options; what it had fetched and remembered is lost.
 */

import { Listener, checked } from './check.js';
import { KNOWN_COST, KnownTokens } from './known-tokens.js';
import { Operation } from './operation.js';

/** Glue → what was made with it: it knows one instance at a time, so there is one of these. */
const made = new WeakMap();

/**
 * @param {object} glue the exports of `wasm/gatepass.js`
 * @param {WebAssembly.Module | BufferSource} module
 * @param {import('./check.js').CheckSignature} checkSignature
 */
export function nativeOn(glue, module, checkSignature) {
  if (!made.has(glue)) {
    glue.initSync({ module });
    made.set(glue, nativeOf(glue, checkSignature));
  }
  return made.get(glue);
}

function nativeOf(glue, checkSignature) {
  const instances = new Instances(glue, checkSignature);
  const call =
    (name) =>
    (...parameters) =>
      instances.call(() => glue[name](...parameters));
  const operation = (begin) => new Operation(instances, begin);
  return {
    VERSION: glue.version(),
    knownCost: KNOWN_COST,
    Op: Operation,
    errorCodes: call('errorCodes'),
    limits: call('limits'),
    tokenHeaders: call('tokenHeaders'),
    refusalLog: call('refusalLog'),
    audienceForUrl: call('audienceForUrl'),
    planCall: call('planCall'),
    sameAudienceSpellings: call('sameAudienceSpellings'),
    explain: (options, token, now) => explained(instances, () => glue.explain(options, token, now), now),
    ownAudiences: () => operation(() => glue.ownAudiences()),
    openVerifier: (options, keys) => new Opening(instances, options, keys),
    KeyCache: class extends Handle {
      constructor() {
        super(instances, () => new glue.KeyCache());
      }
    },
    Source: class extends Source {
      constructor(options) {
        super(instances, options);
      }
    },
  };
}

/** The instances of the module, of which one is in use. */
class Instances {
  /** How many there were before. */
  number = 0;

  constructor(glue, checkSignature) {
    this.glue = glue;
    this.checkSignature = checkSignature;
    /** What the one in use tells how checks go. */
    this.listener = new Listener(checkSignature);
  }

  /** Makes a call. One that panics throws as any other error of the core's, and ends the instance. */
  call(work) {
    try {
      return work();
    } catch (error) {
      if (!isPanic(error)) throw error;
      this.glue.__wbg_reset_state();
      this.number += 1;
      this.listener = new Listener(this.checkSignature);
      throw new Error(this.glue.panicked(error.message), { cause: error });
    }
  }
}

/** Whether an error is a panic, or as bad: a stack that is exhausted within the module, or an error that is not the core's JSON. */
function isPanic(error) {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return true;
  return error.constructor === Error && !error.message.startsWith('{');
}

/** Something that is made again in an instance that has not got it. */
class Handle {
  #instances;
  #make;
  #made;
  #number = -1;

  constructor(instances, make) {
    this.#instances = instances;
    this.#make = make;
    this.use(() => {});
  }

  /** Calls with what was made. */
  use(work) {
    return this.#instances.call(() => {
      if (this.#number !== this.#instances.number) {
        this.#made = this.#make();
        this.#number = this.#instances.number;
      }
      return work(this.#made);
    });
  }
}

class Source extends Handle {
  #instances;

  constructor(instances, options) {
    super(instances, () => new instances.glue.Source(options));
    this.#instances = instances;
  }

  lookup(...parameters) {
    const [json, op] = this.use((source) => {
      const found = source.lookup(...parameters);
      return [found.toJson(), found.op()];
    });
    return { ...JSON.parse(json), op: op && new Operation(this.#instances, () => op) };
  }

  retryAfterRefusal(...parameters) {
    return this.use((source) => source.retryAfterRefusal(...parameters));
  }

  invalidate(...parameters) {
    return this.use((source) => source.invalidate(...parameters));
  }

  principal() {
    return new Operation(this.#instances, () => this.use((source) => source.principal()));
  }

  signBytes(bytes) {
    return new Operation(this.#instances, () => this.use((source) => source.signBytes(bytes)));
  }

  accessTokenHeaders() {
    return this.use((source) => source.accessTokenHeaders());
  }
}

/** The operation that makes a verifier. What it was answered is what an instance to come will be. */
class Opening extends Operation {
  #instances;
  #options;
  #keys;
  #replies = [];

  constructor(instances, options, keys) {
    super(instances, () => keys.use((cache) => instances.glue.openVerifier(options, cache)));
    this.#instances = instances;
    this.#options = options;
    this.#keys = keys;
  }

  resume(now, monotonic, reply) {
    this.#replies.push([now, monotonic, reply]);
    return super.resume(now, monotonic, reply);
  }

  /** The verifier that it has made, as an object of its functions. */
  verifier() {
    const [instances, options, keys, replies] = [this.#instances, this.#options, this.#keys, this.#replies];
    let first = this.opened();
    const verifier = new Handle(instances, () => {
      if (first !== undefined) return [first, (first = undefined)][0];
      const again = keys.use((cache) => instances.glue.openVerifier(options, cache));
      for (const one of replies) again.resume(...one);
      return [again.verifier(), again.free()][0];
    });
    return functionsOf(instances, verifier);
  }
}

function functionsOf(instances, verifier) {
  const tokenOf = (...headers) => verifier.use((own) => own.tokenFromHeaders(...headers));
  const known = new KnownTokens(JSON.parse(instances.glue.limits()).places);
  const recalled = (name, now, monotonic) =>
    name === undefined ? 0 : verifier.use((own) => own.recall(name, now, monotonic));
  /** Checks a token, which came in the header that it is the end of, or by itself. */
  const check = (token, header, now, monotonic, isWhole) => {
    const name = known.nameOf(token);
    const entry = isWhole ? 0 : recalled(name, now, monotonic);
    const own = name ?? known.newName();
    const keep = (entry) => known.keep(token, header, entry, own);
    if (entry !== 0) {
      if (header !== undefined) keep(entry);
      return entry;
    }
    return checked(instances, keep, (listener) =>
      verifier.use((verifier) => verifier.verify(token, own, now, monotonic, listener)),
    );
  };
  return {
    verify: (token, now, monotonic, isWhole) => check(token, undefined, now, monotonic, isWhole),
    verifyHeaders: (authorization, serverless, iap, now, monotonic, isWhole) => {
      const isAlone = authorization !== undefined && serverless === undefined && iap === undefined;
      const name = isAlone && !isWhole ? known.nameOfHeader(authorization) : undefined;
      const entry = recalled(name, now, monotonic);
      if (entry !== 0) return entry;
      const token = tokenOf(authorization, serverless, iap);
      const header = isAlone && authorization.endsWith(token) ? authorization : undefined;
      return check(token, header, now, monotonic, isWhole);
    },
    explain: (token, place, now) => {
      if (instances.glue.explain === undefined) throw new Error('gatepass/verify only verifies: `gatepass` explains');
      return explained(instances, () => verifier.use((own) => own.explain(token, place, now)), now);
    },
  };
}

/** The explanation that an operation gives, JSON. Whoever asks for one does not wait, so a signature is checked at once or not. */
function explained(instances, begin, now) {
  const op = new Operation(instances, begin);
  let reply = { reply: 'start' };
  for (;;) {
    const step = JSON.parse(op.resume(now, now, JSON.stringify(reply)));
    if (step.step === 'check_signature') {
      reply = answerTo(step, instances.checkSignature);
      continue;
    }
    op.cancel();
    if (step.step === 'fail') throw new Error(JSON.stringify(step.error));
    return JSON.stringify(step.output);
  }
}

function answerTo({ alg, key: jwk, data, signature }, checkSignature) {
  const letters = atob(signature.replaceAll('-', '+').replaceAll('_', '/'));
  const question = {
    key: { alg, jwk },
    data: new TextEncoder().encode(data),
    signature: Uint8Array.from(letters, (letter) => letter.charCodeAt(0)),
  };
  try {
    const is_valid = checkSignature(question);
    if (typeof is_valid === 'boolean') return { reply: 'checked', is_valid };
  } catch {
    // Left open, as where the answer takes its time.
  }
  return { reply: 'failed', kind: 'unsupported', message: '' };
}
