/** A plugin for Fastify 5. */

import type { FastifyPluginAsync, FastifyRequest } from 'fastify';

import type { GatepassError, IdTokenClaims, VerifierOptions } from './index.js';

/**
 * Lets only requests with a valid ID token reach the routes of the scope that it is registered in, and of the scopes
 * within that. The claims are then `request.user`, where @fastify/jwt puts them.
 *
 * A refused request gets 401 for a missing or invalid token, 403 for a caller who is not on the list, and 503 when the
 * keys cannot be had; the body holds the error's code. The service's log gets a line for it, which never shows the token.
 *
 * Registering it fails with a {@link GatepassError}, `INVALID_OPTION`, where the options make no sense.
 */
export const requireIdToken: FastifyPluginAsync<RequireIdTokenOptions>;
export default requireIdToken;

/** What {@link requireIdToken} takes: what a `Verifier` does, and the following. */
export interface RequireIdTokenOptions extends VerifierOptions {
  /** Let requests without any token through, without claims; a bad token is refused all the same. */
  optional?: boolean;
  /** Paths that need no token, compared exactly and without the query: `'/healthz'`. */
  openPaths?: string | readonly string[];
  /** Let a browser's preflight requests through (the Fetch standard, "CORS protocol"): they never carry a token. */
  allowCorsPreflight?: boolean;
  /** Learns why a request is refused, in place of the line that the request's log gets. */
  onRefusal?: (error: GatepassError, request: FastifyRequest) => void;
}

/**
 * The claims of a request that the plugin has let through; the same as `request.user`, but typed.
 *
 * @throws {Error} there are none: the plugin did not run, or let the request through without a token
 */
export function claimsOf(request: FastifyRequest): IdTokenClaims;
