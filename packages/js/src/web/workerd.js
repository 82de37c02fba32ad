/** gatepass for Cloudflare's workerd, which compiles no modules when it runs, but has those that are imported. */

import module from '../../wasm/gatepass.wasm';

import { initWith, useModule } from './full.js';

export * from './index.js';

useModule(module);

// In place of that of the other file: there is nothing to load.
export async function init(given) {
  if (given !== undefined) await initWith(given);
}
