/**
 * The WebAssembly module (`bindings/wasm`) in the place of the native add-on: the same names, arguments and answers.
 *
 * A panic leaves an instance of the module unusable. Another one takes its place, and what was made in the old one is made
 * again there when it is next asked for, from the same options; what it had fetched and remembered is lost.
 */

import { DIGEST_COST, Digests } from './digests.js';

/** Glue → what was made with it: it knows one instance at a time, so there is one of these. */
const made = new WeakMap();

/**
 * @param {object} glue the exports of `wasm/gatepass.js`
 * @param {WebAssembly.Module | BufferSource} module
 * @param {(step: object) => object} [checkSignature] answers the step `check_signature` at once, if the runtime can: whoever
 *   explains a token does not wait
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
    digestCost: DIGEST_COST,
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
  }

  /** Makes a call. One that panics throws as any other error of the core's, and ends the instance. */
  call(work) {
    try {
      return work();
    } catch (error) {
      // A stack that is exhausted within the module is as bad.
      if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) throw error;
      this.glue.__wbg_reset_state();
      this.number += 1;
      throw new Error(this.glue.panicked(error.message), { cause: error });
    }
  }
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

/** An operation under way. It goes with its instance. */
class Operation {
  #instances;
  #op;
  #number;
  #flight;
  #panicked = false;

  constructor(instances, begin) {
    this.#instances = instances;
    this.#op = instances.call(begin);
    this.#number = instances.number;
    this.#flight = this.#op.flight ?? null;
  }

  get flight() {
    return this.#flight;
  }

  /** Whether another call has taken its instance away, so that it has failed. */
  get isLost() {
    return !this.#panicked && this.#number !== this.#instances.number;
  }

  resume(now, monotonic, reply) {
    const step = this.stepOf((op) => op.resume(now, monotonic, reply));
    return step ?? ended(this.#instances.glue, now, monotonic, reply);
  }

  /** What `work` makes of it; JSON of the failure where that throws or it is lost, and undefined where it has ended. */
  stepOf(work) {
    const { glue, number } = this.#instances;
    if (this.#op === undefined) return undefined;
    if (this.#number !== number)
      return failure(glue.panicked('in another call, with which this operation is lost'));
    try {
      return this.#instances.call(() => work(this.#op));
    } catch (error) {
      this.#panicked = true;
      return failure(error.message);
    }
  }

  /** What the operation of a verifier's `verify` has come to. */
  verdict() {
    return verdictOf(this.#instances, () => this.#op.verdict());
  }

  /** What the operation of `openVerifier` has made, with which it is over. */
  opened() {
    const made = this.#instances.call(() => this.#op.verifier());
    this.cancel();
    return made;
  }

  cancel() {
    if (this.#number === this.#instances.number) this.#op?.free();
    this.#op = undefined;
  }
}

/** The check of a new token, whose signature is asked for. Its steps and replies are objects, for each such token takes them. */
class Check extends Operation {
  advance(now, monotonic, reply) {
    const isValid = typeof reply.is_valid === 'boolean' ? reply.is_valid : undefined;
    const step = this.stepOf((check) => {
      const isOpen =
        reply.reply === 'start' ? check.begin(now, monotonic) : check.answer(isValid, now, monotonic);
      if (!isOpen) return { step: 'done', output: null };
      const { alg, key, data, signature } = check;
      return { step: 'check_signature', alg, key, data, signature };
    });
    if (typeof step === 'object') return step;
    return JSON.parse(step ?? super.resume(now, monotonic, JSON.stringify(reply)));
  }

  resume(now, monotonic, reply) {
    return JSON.stringify(this.advance(now, monotonic, JSON.parse(reply)));
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
  const { glue } = instances;
  const digests = new Digests(JSON.parse(glue.limits()).places);
  /** Checks the token that is this text, or in it where it is a header. */
  const check = (text, isHeader, now, monotonic, isWhole) => {
    const words = isWhole ? undefined : digests.of(text, isHeader);
    if (words !== undefined) {
      const [a, b, c, d, e, f, g, h] = words;
      const entry = verifier.use((own) => own.recall(a, b, c, d, e, f, g, h, now, monotonic));
      if (entry !== 0) return entry;
    }
    const token = isHeader ? tokenOf(text) : text;
    const found = verifier.use((own) => own.verify(token, now, monotonic, isWhole));
    if (typeof found !== 'number') return verdictOf(instances, () => found);
    digests.keep(text, isHeader, found, glue.tokenDigest(token));
    return found;
  };
  return {
    verify: (token, ...rest) => check(token, false, ...rest),
    verifyHeaders: (authorization, serverless, iap, ...rest) => {
      const isAlone = authorization !== undefined && serverless === undefined && iap === undefined;
      if (isAlone) return check(authorization, true, ...rest);
      return check(tokenOf(authorization, serverless, iap), false, ...rest);
    },
    explain: (token, place, now) => {
      if (instances.glue.explain === undefined) throw new Error('gatepass/verify only verifies: `gatepass` explains');
      return explained(instances, () => verifier.use((own) => own.explain(token, place, now)), now);
    },
  };
}

/** The explanation that an operation gives, JSON. Whoever asks for one does not wait, so a signature is checked at once or not. */
function explained(instances, begin, now) {
  const { checkSignature } = instances;
  const op = new Operation(instances, begin);
  let reply = { reply: 'start' };
  for (;;) {
    const step = JSON.parse(op.resume(now, now, JSON.stringify(reply)));
    if (step.step === 'check_signature') {
      reply = answerTo(step, checkSignature);
      continue;
    }
    op.cancel();
    if (step.step === 'fail') throw new Error(JSON.stringify(step.error));
    return JSON.stringify(step.output);
  }
}

function answerTo(step, checkSignature) {
  try {
    if (checkSignature !== undefined) return checkSignature(step);
  } catch {
    // Left open, as where there is no such function.
  }
  return { reply: 'failed', kind: 'unsupported', message: '' };
}

/** A verdict as an object, after which there is nothing to free. */
function verdictOf(instances, reach) {
  const [verdict, op] = instances.call(() => {
    const found = reach();
    const { status } = found;
    const verdict = { status };
    if (status === 'join') verdict.flight = found.flight;
    if (status === 'accepted') {
      verdict.payload = found.payload;
      verdict.is_unverified = found.is_unverified;
      verdict.entry = found.entry;
    }
    return [verdict, status === 'check' ? found.check() : found.op()];
  });
  const Kind = verdict.status === 'check' ? Check : Operation;
  if (op !== undefined) verdict.op = new Kind(instances, () => op);
  return verdict;
}

/** The step of an operation that has failed with this error, both JSON. */
function failure(error) {
  return `{"step":"fail","error":${error}}`;
}

/** What the core says to whoever resumes an operation that has ended. */
function ended(glue, now, monotonic, reply) {
  const op = glue.ownAudiences();
  op.cancel();
  return [op.resume(now, monotonic, reply), op.free()][0];
}
