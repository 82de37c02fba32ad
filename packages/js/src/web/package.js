/** What users import, where there is nothing but the web's own interfaces. */

import { GatepassError } from '../errors.js';
import { hostOn } from '../host.js';
import { moduleOf } from '../wasm/module.js';
import { nativeOn } from '../wasm/native.js';
import { checkSignature } from './signatures.js';
import { steps } from './steps.js';

/**
 * A package on a module of its own.
 *
 * @param {object} glue what wasm-bindgen has written for the module
 * @param {(host: Host) => object} exportsOn makes what the package exports
 */
export function packageOn(glue, exportsOn) {
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
  const useModule = (module) => {
    host.native = nativeOn(glue, module, checkSignature);
  };
  return {
    exported: exportsOn(host),
    useModule,
    /** Takes the module in whatever form it is given. */
    initWith: async (module) => useModule(await moduleOf(module)),
  };
}
