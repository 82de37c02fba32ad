/** Runs the vectors in a browser, and posts the outcome to where the page has come from. */

import * as gatepass from 'gatepass';

import { moduleOf } from '../../packages/js/src/wasm/module.js';
import { nativeOn } from '../../packages/js/src/wasm/native.js';
import * as glue from '../../packages/js/wasm/gatepass.js';
import { runVectors, verifyByUrl } from './vectors.js';

let outcome;
try {
  console.warn = () => {};
  await gatepass.init();
  const native = nativeOn(
    glue,
    await moduleOf(new URL('../../packages/js/wasm/gatepass.wasm', import.meta.url)),
  );
  const files = await (await fetch('/vectors.json')).json();
  const fetched = await verifyByUrl(gatepass, files, `${location.origin}/keys`);
  outcome = { backend: 'wasm', fetched, ...(await runVectors(gatepass, native, files)) };
} catch (error) {
  outcome = { wrong: [`${error?.stack ?? error}`] };
}
const [, version] = /Chrome\/([\d.]+)/.exec(navigator.userAgent) ?? [];
await fetch('/outcome', {
  method: 'POST',
  body: JSON.stringify({ version: `Chromium ${version}`, ...outcome }),
});
