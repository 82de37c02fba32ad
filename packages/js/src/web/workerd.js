/** gatepass for Cloudflare's workerd, which compiles no modules when it runs, but has those that are imported. */

import module from '../../wasm/gatepass.wasm';

import { exported, initWith, useModule } from './package.js';

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

useModule(module);

export async function init(given) {
  if (given !== undefined) await initWith(given);
}
