/**
 * What verifies tokens, and nothing else: for workers and pages that only receive them, it is half of what `gatepass` is to
 * download. Names and types are those of `gatepass`. `Verifier.explain` is not in it where the core is WebAssembly.
 */

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

export type {
  Algorithm,
  ErrorCode,
  GrpcStatus,
  IdTokenClaims,
  Preset,
  Refusal,
  RequestHeaders,
  VerifierOptions,
  VerifyIdTokenOptions,
  WaitOptions,
} from './index.js';
