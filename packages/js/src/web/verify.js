/** What verifies, for browsers and every other runtime with the web's interfaces. `verify.d.ts` documents it. */

import { exported, initWith } from './verifying.js';

export { unverified } from '../claims.js';
export { GatepassError, TransportError, VerifyError } from '../errors.js';
export { version } from '../version.js';

export const { Verifier, ownAudiences, verifyIdToken } = exported;

export async function init(module = new URL('../../wasm/verify.wasm', import.meta.url)) {
  await initWith(module);
}
