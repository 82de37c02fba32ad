/** Runs the vectors in workerd: `workerd test`. */

import * as gatepass from 'gatepass';

import files from 'vectors.json';
import { nativeOn } from '../../packages/js/src/wasm/native.js';
import * as glue from '../../packages/js/wasm/gatepass.js';
import module from '../../packages/js/wasm/gatepass.wasm';
import { runVectors } from './vectors.js';

export default {
  async test() {
    console.warn = () => {};
    const outcome = await runVectors(gatepass, nativeOn(glue, module), files);
    console.log(JSON.stringify({ backend: 'wasm', ...outcome }));
  },
};
