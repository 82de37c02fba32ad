/** What the package runs on, made of what differs from place to place. */

import { awaited } from './driver/abort.js';
import { drive, driveAtOnce } from './driver/driver.js';
import { Flights } from './driver/flights.js';

/**
 * @param {() => object} load gives the native code; called when it is first needed: a bundle or a build that only imports this
 *   package runs without it
 * @param {{ perform: Function, environment: Function, failureOf: Function }} steps
 * @param {(message: string) => void} warn
 * @returns {Host}
 */
export function hostOn({ load, steps, warn }) {
  let native;
  let limits;
  let tokenHeaders;

  const driverHost = ({ clock = host.clock, suppliers = new Map() } = {}) => {
    return { clock, suppliers, monotonic: host.monotonic, limits: host.limits, steps };
  };
  const host = {
    get native() {
      return (native ??= load());
    },
    set native(given) {
      native = given;
    },
    get limits() {
      return (limits ??= JSON.parse(host.native.limits()));
    },
    get tokenHeaders() {
      return (tokenHeaders ??= JSON.parse(host.native.tokenHeaders()));
    },
    /** Measured with V8: from above, for objects of which each has members of its own, and texts of two bytes a letter. */
    get keptCost() {
      const { token, byte } = host.native.knownCost ?? { token: 0, byte: 0 };
      return { token: 200 + token, member: 128, byte: 2 + byte };
    },
    shared: {},
    clock: Date.now,
    monotonic: () => performance.now(),
    warn,
    drive: async (op, signal, given) => await awaited(drive(op, driverHost(given), signal), signal),
    driveAtOnce: (op) => driveAtOnce(op, driverHost()),
    flights: (given) => new Flights(driverHost(given)),
    keys: (given) => ({ cache: new host.native.KeyCache(), flights: host.flights(given) }),
  };
  return host;
}
