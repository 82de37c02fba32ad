/**
 * Waiting for what another caller fetches. Who fetches and who waits is the add-on's decision.
 *
 * No lock is needed: JavaScript runs from a look to the start of the flight without a break.
 */

import { abortable } from './abort.js';
import { drive } from './driver.js';
import { GatepassError } from '../../errors.js';

/** Only a caller whose every fetcher gives up looks often; this many looks are a fault. */
const MAX_LOOKS = 10_000;

/** The flights of one source or verifier. */
export class Flights {
  #host;
  /** Flight → a promise that is fulfilled when the flight ends, however it ends. */
  #landings = new Map();

  /** @param host what {@link drive} needs */
  constructor(host) {
    this.#host = host;
  }

  /**
   * Looks, and does or awaits what the look asks for, until it finds what the caller wants.
   *
   * @param look asks the add-on: the `status` of what it gives says what is to be done
   * @param {AbortSignal} [signal] lets this caller leave; the others are not affected
   * @param [first] what a look has just found
   */
  async settle(look, signal, first) {
    for (let looks = 0; looks < MAX_LOOKS; looks++) {
      signal?.throwIfAborted();
      const found = (looks === 0 && first) || look();
      switch (found.status) {
        case 'fetch':
          return await this.#fly(found.op, signal);
        case 'needs_keys':
          await this.#fly(found.op, signal);
          break;
        case 'join':
          await abortable(this.#landings.get(found.flight), signal);
          break;
        default:
          // The caller has what it needs; the add-on remembers how the refresh ends.
          if (found.op) this.#fly(found.op).catch(() => {});
          return found;
      }
    }
    throw new GatepassError({ code: 'INTERNAL', message: `no result after ${MAX_LOOKS} looks; report it` });
  }

  async #fly(op, signal) {
    // None, if the operation only repeats a remembered failure: nobody joins that.
    const { flight } = op;
    let land;
    this.#landings.set(flight, new Promise((resolve) => (land = resolve)));
    try {
      return await drive(op, this.#host, signal);
    } finally {
      op.cancel();
      this.#landings.delete(flight);
      land();
    }
  }
}
