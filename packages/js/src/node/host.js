/** What the package runs on here: the native add-on, and Node.js for all that it asks for. */

import { load } from './addon.js';
import { awaited } from './driver/abort.js';
import { drive, driveAtOnce } from './driver/driver.js';
import { Flights } from './driver/flights.js';

let native;
let limits;
let tokenHeaders;

/** @type {Host} */
export const host = {
  /** Loaded when it is first needed: a bundle or a build that only imports this package runs without it. */
  get native() {
    return (native ??= load());
  },
  get limits() {
    return (limits ??= JSON.parse(host.native.limits()));
  },
  get tokenHeaders() {
    return (tokenHeaders ??= JSON.parse(host.native.tokenHeaders()));
  },
  /** Measured with V8: from above, for objects of which each has members of its own, and texts of two bytes a letter. */
  claimsCost: { token: 200, member: 128, byte: 2 },
  shared: {},
  clock: Date.now,
  monotonic: () => performance.now(),
  warn: (message) => process.emitWarning(message, 'GatepassWarning'),
  drive: async (op, signal, given) => await awaited(drive(op, driverHost(given), signal), signal),
  driveAtOnce: (op) => driveAtOnce(op, driverHost()),
  flights: (given) => new Flights(driverHost(given)),
  keys: (given) => ({ cache: new host.native.KeyCache(), flights: host.flights(given) }),
};

function driverHost({ clock = host.clock, suppliers = new Map() } = {}) {
  return { clock, suppliers, monotonic: host.monotonic, limits: host.limits };
}
