/** Operations of the module. */

/** Why one has failed whose instance another call has taken away. */
export const LOST = 'in another call, with which this operation is lost';

/** An operation under way. It goes with its instance. */
export class Operation {
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
    const { glue, number } = this.#instances;
    if (this.#op === undefined) return ended(glue, now, monotonic, reply);
    if (this.#number !== number) return failure(glue.panicked(LOST));
    try {
      return this.#instances.call(() => this.#op.resume(now, monotonic, reply));
    } catch (error) {
      this.#panicked = true;
      return failure(error.message);
    }
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
