/** What users import, where there is nothing but the web's own interfaces. */

import { gatepassOn } from '../gatepass.js';
import { GatepassError } from '../errors.js';
import { hostOn } from '../host.js';
import { moduleOf } from '../wasm/module.js';
import { nativeOn } from '../wasm/native.js';
import * as glue from '../../wasm/gatepass.js';
import { steps } from './steps.js';

const host = hostOn({
  load() {
    throw new GatepassError({
      code: 'API_MISUSE',
      message: 'the module is not loaded yet: await init() first',
    });
  },
  steps,
  warn: (message) => console.warn(message),
});

/** Takes the compiled module. */
export function useModule(module) {
  host.native = nativeOn(glue, module);
}

/** Takes the module in whatever form it is given. */
export async function initWith(module) {
  useModule(await moduleOf(module));
}

export const exported = gatepassOn(host);
