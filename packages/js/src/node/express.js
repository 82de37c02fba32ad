/** Middleware for Express; it uses nothing of Express, so that it fits every server with `(req, res, next)`. */

import { Guard } from '../middleware.js';
import { Verifier } from './index.js';

export { claimsOf } from '../middleware.js';

export function requireIdToken(options) {
  const guard = new Guard((others) => new Verifier(others), options);
  // Nobody may wait for the promise: whatever fails, the framework's own error handling gets it.
  return async function requireIdToken(req, res, next) {
    try {
      const url = req.originalUrl ?? req.url;
      let claims;
      try {
        claims = await guard.check(req, url);
      } catch (error) {
        if (!error.refusal) throw error;
        guard.tell(error, req, url, console);
        return answer(res, error.refusal);
      }
      if (claims !== null) req.auth = claims;
      next();
    } catch (error) {
      next(error);
    }
  };
}

function answer(res, { status, headers, body }) {
  // Somebody else has answered, such as a middleware with a time limit.
  if (res.headersSent) return;
  res.statusCode = status;
  for (const [name, value] of headers) res.setHeader(name, value);
  res.end(body);
}
