/** Middleware for Express, and for every server that calls `(req, res, next)`. */

import type { IncomingMessage, ServerResponse } from 'node:http';

import type { GatepassError, IdTokenClaims, VerifierOptions } from './index.js';

/**
 * Lets only requests with a valid ID token through. The claims are then `req.auth`, where express-jwt puts them.
 *
 * A refused request gets 401 for a missing or invalid token, 403 for a caller who is not on the list, and 503 when the
 * keys cannot be had; the body holds the error's code, and the message goes to `onRefusal`.
 *
 * @throws {GatepassError} `INVALID_OPTION`
 */
export function requireIdToken(options: RequireIdTokenOptions): RequireIdToken;

/** What {@link requireIdToken} takes: what a `Verifier` does, and the following. */
export interface RequireIdTokenOptions extends VerifierOptions {
  /** Is told why a request is refused, for the service's own log. */
  onRefusal?: (error: GatepassError, req: IncomingMessage) => void;
}

/** What {@link requireIdToken} gives. */
export type RequireIdToken = (
  req: IncomingMessage & { auth?: IdTokenClaims },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

declare global {
  namespace Express {
    interface Request {
      /** The claims of the caller's ID token, behind `requireIdToken`. */
      auth?: IdTokenClaims;
    }
  }
}
