/** Middleware for Express; it uses nothing of Express, so that it fits every server with `(req, res, next)`. */

import { Verifier } from './index.js';

export function requireIdToken({ onRefusal, ...options } = {}) {
  const verifier = new Verifier(options);
  return async function requireIdToken(req, res, next) {
    try {
      req.auth = await verifier.verifyHeaders(req.headers);
    } catch (error) {
      if (!error.refusal) return next(error);
      onRefusal?.(error, req);
      const { status, headers, body } = error.refusal;
      return res.writeHead(status, headers.flat()).end(body);
    }
    next();
  };
}
