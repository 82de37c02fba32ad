/** Runs the vectors in workerd: `workerd test`. */

import * as gatepass from 'gatepass';

import files from 'vectors.json';
import { nativeOn } from '../../packages/js/src/wasm/native.js';
import * as glue from '../../packages/js/wasm/gatepass.js';
import module from '../../packages/js/wasm/gatepass.wasm';
import { runVectors, verifyByUrl } from './vectors.js';

export default {
  async test(_controller, { ORIGIN }) {
    console.warn = () => {};
    const fetched = await verifyByUrl(gatepass, files, `${ORIGIN}/keys`);
    const outcome = await runVectors(gatepass, nativeOn(glue, module), files);
    console.log(JSON.stringify({ backend: 'wasm', fetched, ...outcome }));
  },
};
