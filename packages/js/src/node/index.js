/** gatepass for Node.js: what users import. `index.d.ts` documents it. */

import { gatepassOn } from '../gatepass.js';
import { moduleOf } from '../wasm/module.js';
import { host } from './host.js';
import { load } from './wasm.js';

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
} = gatepassOn(host);

export async function init(module) {
  if (module !== undefined) host.native = load(await moduleOf(module));
}
