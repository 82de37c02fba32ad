/** The WebAssembly module in Node.js, and in what runs programs for it. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { nativeOn } from '../wasm/native.js';
import { checkSignature } from './driver/signatures.js';

const { createRequire } = process.getBuiltinModule('node:module');

/** Whether the package has it: in a checkout it is built by `cargo xtask test --only wasm`. */
export function hasModule() {
  return existsSync(inPackage('gatepass.wasm'));
}

/**
 * Loads it.
 *
 * @param {WebAssembly.Module | BufferSource} [module]
 */
export function load(module = readFileSync(inPackage('gatepass.wasm'))) {
  return nativeOn(createRequire(import.meta.url)(inPackage('gatepass.cjs')), module, checkSignature);
}

function inPackage(name) {
  // Bundlers put something else in its place, or nothing.
  const own = import.meta.url ?? '';
  return own.startsWith('file:') ? fileURLToPath(new URL(`../../wasm/${name}`, own)) : name;
}
