/**
 * Work that callers share. Who starts it and who waits is the core's decision; a flight itself belongs to nobody: a
 * caller that leaves, the one that started it included, ends its own waiting only.
 *
 * No lock is needed: JavaScript runs from a look to the start of the flight without a break.
 */

import { GatepassError, errorFrom } from '../errors.js';
import { abortable, awaited } from './abort.js';
import { drive } from './driver.js';

/** The flights of one source or verifier. */
export class Flights {
  #host;
  /** Flight → a promise that is fulfilled when the flight ends, however it ends. */
  #landings = new Map();

  /** @param {DriverHost} host what {@link drive} needs */
  constructor(host) {
    this.#host = host;
  }

  /**
   * Looks, and starts or awaits what the look asks for, until it finds what the caller wants.
   *
   * @param look asks the core: the `status` of what it gives says what is to be done
   * @param {AbortSignal} [signal] lets this caller leave; the others are not affected
   * @param [first] what a look has just found
   */
  async settle(look, signal, first) {
    const { looks } = this.#host.limits;
    let next = first;
    for (let count = 0; count < looks; count++) {
      signal?.throwIfAborted();
      const found = next ?? look();
      next = undefined;
      try {
        if (found.status === 'check') {
          // It needs nothing that does not keep the process alive by itself.
          const verdict = this.#check(found.op);
          next = await (signal === undefined ? verdict : abortable(verdict, signal));
          continue;
        }
        const flight = found.op ? this.#fly(found.op) : this.#landings.get(found.flight);
        switch (found.status) {
          case 'fetch':
            return await awaited(flight, signal);
          case 'needs_keys':
          case 'join':
            await awaited(flight, signal);
            break;
          default:
            // The caller has what it needs; the core remembers how the refresh ends.
            return found;
        }
      } catch (error) {
        // A call that has panicked has taken it along; there is another instance of the module to ask.
        if (!found.op?.isLost) throw error;
      }
    }
    throw new GatepassError({ code: 'INTERNAL', message: `no result after ${looks} looks; report it` });
  }

  /** Starts a flight, and gives a promise of its output. */
  #fly(op) {
    const { flight } = op;
    const flying = this.#drive(op);
    const landing = flying.then(
      () => {},
      () => {},
    );
    // None, if the operation only repeats a remembered failure: nobody joins that.
    if (flight !== null) {
      this.#landings.set(flight, landing);
      landing.then(() => {
        // Another instance of the module numbers its flights anew.
        if (this.#landings.get(flight) === landing) this.#landings.delete(flight);
      });
    }
    return flying;
  }

  /** The verdict on a token whose signature is to be checked. */
  async #check(check) {
    const { clock, monotonic } = this.#host;
    try {
      for (;;) {
        let answer;
        try {
          answer = await check.asked;
        } catch (error) {
          // This host cannot say, which is not the token's fault.
          answer = error;
        }
        const verdict = check.answer(answer, clock(), monotonic());
        if (verdict?.status === 'fail') throw errorFrom(verdict.error);
        if (verdict !== undefined) return verdict;
      }
    } finally {
      check.cancel();
    }
  }

  async #drive(op) {
    try {
      return await drive(op, this.#host);
    } finally {
      op.cancel();
    }
  }
}
