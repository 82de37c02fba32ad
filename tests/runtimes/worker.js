/** Runs the vectors in workerd: `workerd test`. */

import * as gatepass from 'gatepass';
import * as verifying from 'gatepass-verify';

import files from 'vectors.json';
import { checkSignature } from '../../packages/js/src/web/signatures.js';
import { steps } from '../../packages/js/src/web/steps.js';
import { nativeOn } from '../../packages/js/src/wasm/native.js';
import * as glue from '../../packages/js/wasm/gatepass.js';
import module from '../../packages/js/wasm/gatepass.wasm';
import { runVectors, runVerifyVectors, verifyByUrl } from './vectors.js';
import { WEB_LACKS } from './web.js';

export default {
  async test(_controller, { ORIGIN }) {
    console.warn = () => {};
    const fetched = await verifyByUrl(gatepass, files, `${ORIGIN}/keys`);
    const native = nativeOn(glue, module, checkSignature);
    const runtime = { native, steps, origin: ORIGIN, leavesSignaturesOpen: true, lacks: WEB_LACKS };
    const credentials = await (await fetch(`${ORIGIN}/credentials.json`)).json();
    const outcome = await runVectors(gatepass, runtime, files, credentials);
    const verified = await runVerifyVectors(verifying, files);
    console.log(JSON.stringify({ backend: 'wasm', fetched, verified, ...outcome }));
  },
};
