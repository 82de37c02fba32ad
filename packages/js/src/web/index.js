/** gatepass for browsers, service workers, and every other runtime with the web's interfaces. `index.d.ts` documents it. */

import { exported, initWith } from './full.js';

export { unverified } from '../claims.js';
export { ResponseError } from '../client.js';
export { CredentialsError, GatepassError, TransportError, VerifyError } from '../errors.js';
export { version } from '../version.js';

export const {
  GatePass,
  Verifier,
  audienceForUrl,
  explain,
  fetchAccessToken,
  fetchIdToken,
  ownAudiences,
  sameAudienceSpellings,
  verifyIdToken,
} = exported;

export async function init(module = new URL('../../wasm/gatepass.wasm', import.meta.url)) {
  await initWith(module);
}
