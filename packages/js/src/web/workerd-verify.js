/** What verifies, for Cloudflare's workerd. */

import module from '../../wasm/verify.wasm';

import { initWith, useModule } from './verifying.js';

export * from './verify.js';

useModule(module);

// In place of that of the other file: there is nothing to load.
export async function init(given) {
  if (given !== undefined) await initWith(given);
}
