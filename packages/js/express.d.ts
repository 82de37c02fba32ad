/** Middleware for Express, and for every server that calls `(req, res, next)`. */

import type { IncomingMessage, ServerResponse } from 'node:http';

import type { GatepassError, IdTokenClaims, VerifierOptions } from './index.js';

/**
 * Lets only requests with a valid ID token through. The claims are then `req.auth`, where express-jwt puts them.
 *
 * A refused request gets 401 for a missing or invalid token, 403 for a caller who is not on the list, and 503 when the
 * keys cannot be had; the body holds the error's code. The service's log gets a line for it, which never shows the token.
 *
 * @throws {GatepassError} `INVALID_OPTION`
 */
export function requireIdToken(options: RequireIdTokenOptions): RequireIdToken;

/** What {@link requireIdToken} takes: what a `Verifier` does, and the following. */
export interface RequireIdTokenOptions extends VerifierOptions {
  /** Let requests without any token through, without claims; a bad token is refused all the same. */
  optional?: boolean;
  /** Paths that need no token, compared exactly and without the query: `'/healthz'`. */
  openPaths?: string | readonly string[];
  /** Let a browser's preflight requests through (the Fetch standard, "CORS protocol"): they never carry a token. */
  allowCorsPreflight?: boolean;
  /** Learns why a request is refused, in place of the line that `console` gets. */
  onRefusal?: (error: GatepassError, req: IncomingMessage) => void;
}

/** What {@link requireIdToken} gives. */
export type RequireIdToken = (
  req: IncomingMessage & { auth?: IdTokenClaims },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/**
 * The claims of a request that `requireIdToken` has let through; the same as `req.auth`, but typed.
 *
 * @throws {Error} there are none: it did not run, or let the request through without a token
 */
export function claimsOf(req: object): IdTokenClaims;
