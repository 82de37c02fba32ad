/** What the package runs on here: the native add-on, and Node.js for all that it asks for. */

import { load } from './addon.js';
import { drive } from './driver/driver.js';
import { Flights } from './driver/flights.js';

let native;

/** @type {Host} */
export const host = {
  /** Loaded when it is first needed: a bundle or a build that only imports this package runs without it. */
  get native() {
    return (native ??= load());
  },
  environment: process.env,
  /** What is made once for the process, when it is first needed. */
  shared: {},
  clock: Date.now,
  drive,
  flights: (options) => new Flights(options),
};
