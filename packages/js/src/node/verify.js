/** What verifies, for Node.js, where it is no smaller. `verify.d.ts` documents it. */

export {
  GatepassError,
  TransportError,
  Verifier,
  VerifyError,
  init,
  ownAudiences,
  unverified,
  verifyIdToken,
  version,
} from './index.js';
