/** Runs the vectors in a browser, and posts the outcome to where the page has come from. */

import * as gatepass from 'gatepass';
import * as verifying from 'gatepass/verify';

import { checkSignature } from '../../packages/js/src/web/signatures.js';
import { steps } from '../../packages/js/src/web/steps.js';
import { moduleOf } from '../../packages/js/src/wasm/module.js';
import { nativeOn } from '../../packages/js/src/wasm/native.js';
import * as glue from '../../packages/js/wasm/gatepass.js';
import { runVectors, runVerifyVectors, verifyByUrl } from './vectors.js';
import { WEB_LACKS } from './web.js';

let outcome;
try {
  console.warn = () => {};
  await gatepass.init();
  const native = nativeOn(
    glue,
    await moduleOf(new URL('../../packages/js/wasm/gatepass.wasm', import.meta.url)),
    checkSignature,
  );
  const files = await (await fetch('/vectors.json')).json();
  const { origin } = location;
  const fetched = await verifyByUrl(gatepass, files, `${origin}/keys`);
  const credentials = await (await fetch('/credentials.json')).json();
  const peculiar = { hidesRedirects: true, leavesSignaturesOpen: true };
  const runtime = { native, steps, origin, ...peculiar, lacks: WEB_LACKS };
  await verifying.init();
  const verified = await runVerifyVectors(verifying, files);
  outcome = { backend: 'wasm', fetched, verified, ...(await runVectors(gatepass, runtime, files, credentials)) };
} catch (error) {
  outcome = { wrong: [`${error?.stack ?? error}`] };
}
const [, version] = /Chrome\/([\d.]+)/.exec(navigator.userAgent) ?? [];
await fetch('/outcome', {
  method: 'POST',
  body: JSON.stringify({ version: `Chromium ${version}`, ...outcome }),
});
