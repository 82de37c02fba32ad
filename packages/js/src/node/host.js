/** What the package runs on here: the native add-on or the WebAssembly module, and Node.js for all that it asks for. */

import { hostOn } from '../host.js';
import { load } from './backend.js';
import { steps } from './driver/steps.js';

export const host = hostOn({
  load,
  steps,
  warn: (message) => process.emitWarning(message, 'GatepassWarning'),
});
