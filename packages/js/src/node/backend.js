/**
 * What decides: the native add-on, or, where there is none, the WebAssembly module. `GATEPASS_BACKEND` names one of them,
 * and then there is no other.
 */

import { load as loadAddon } from './addon.js';
import { hasModule, load as loadModule } from './wasm.js';

const BACKENDS = { native: loadAddon, wasm: () => loadModule() };

/** Loads it. */
export function load() {
  const given = process.env.GATEPASS_BACKEND;
  if (given) {
    if (Object.hasOwn(BACKENDS, given)) return BACKENDS[given]();
    const known = Object.keys(BACKENDS).join(' or ');
    throw new Error(`gatepass: GATEPASS_BACKEND is ${JSON.stringify(given)}, expected ${known}`);
  }
  // Deno asks whether it may load native code, and Bun does not know all of Node-API.
  if ((process.versions.deno || process.versions.bun) && hasModule()) return loadModule();
  try {
    return loadAddon();
  } catch (error) {
    if (hasModule()) return loadModule();
    throw error;
  }
}
