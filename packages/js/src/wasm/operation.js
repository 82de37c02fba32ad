/** What is under way in an instance of the module. */

/** Why it has failed when another call has taken its instance away. */
const LOST = 'in another call, with which this operation is lost';

/** Something under way, which goes with its instance. */
export class UnderWay {
  #number;
  #panicked = false;

  constructor(instances) {
    this.instances = instances;
    this.#number = instances.number;
  }

  get #isThere() {
    return this.#number === this.instances.number;
  }

  /** Whether another call has taken its instance away, so that it has failed. */
  get isLost() {
    return !this.#panicked && !this.#isThere;
  }

  /**
   * What a call gives that goes on with it.
   *
   * @param {() => T} work
   * @param {(error: string) => T} failed makes what is given in its place where there is an error, JSON
   */
  goOn(work, failed) {
    if (!this.#isThere) return failed(this.instances.glue.panicked(LOST));
    try {
      return this.instances.call(work);
    } catch (error) {
      this.#panicked = !this.#isThere;
      return failed(error.message);
    }
  }

  /** Gives up what the module holds of it, if it still does. */
  release(held) {
    if (this.#isThere) held?.free();
  }
}

/** An operation. */
export class Operation extends UnderWay {
  #op;
  #flight;

  constructor(instances, begin) {
    const op = instances.call(begin);
    super(instances);
    this.#op = op;
    this.#flight = op.flight ?? null;
  }

  get flight() {
    return this.#flight;
  }

  resume(now, monotonic, reply) {
    if (this.#op === undefined) return ended(this.instances.glue, now, monotonic, reply);
    return this.goOn(() => this.#op.resume(now, monotonic, reply), failure);
  }

  /** What the operation of `openVerifier` has made, with which it is over. */
  opened() {
    const made = this.instances.call(() => this.#op.verifier());
    this.cancel();
    return made;
  }

  cancel() {
    this.release(this.#op);
    this.#op = undefined;
  }
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
