/** A plugin for Fastify 5. */

import type { FastifyPluginAsync, FastifyRequest } from 'fastify';

import type { GatepassError, IdTokenClaims, VerifierOptions } from './index.js';

/**
 * Lets only requests with a valid ID token reach the routes of the scope that it is registered in, and of the scopes
 * within that. The claims are then `request.user`, where @fastify/jwt puts them.
 *
 * A refused request gets 401 for a missing or invalid token, 403 for a caller who is not on the list, and 503 when the
 * keys cannot be had; the body holds the error's code, and the message goes to `onRefusal`.
 *
 * Registering it fails with a {@link GatepassError}, `INVALID_OPTION`, where the options make no sense.
 */
export const requireIdToken: FastifyPluginAsync<RequireIdTokenOptions>;
export default requireIdToken;

/** What {@link requireIdToken} takes: what a `Verifier` does, and the following. */
export interface RequireIdTokenOptions extends VerifierOptions {
  /** Is told why a request is refused, for the service's own log. */
  onRefusal?: (error: GatepassError, request: FastifyRequest) => void;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the caller's ID token, behind `requireIdToken`. */
    user: IdTokenClaims | null;
  }
}
