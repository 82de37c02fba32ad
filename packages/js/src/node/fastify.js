/** A plugin for Fastify. */

import { Guard } from '../middleware.js';
import { Verifier } from './index.js';

export { claimsOf } from '../middleware.js';

export async function requireIdToken(fastify, options) {
  const guard = new Guard((others) => new Verifier(others), options);
  if (!fastify.hasRequestDecorator('user')) fastify.decorateRequest('user', null);
  fastify.addHook('onRequest', async function requireIdToken(request, reply) {
    const url = request.originalUrl;
    try {
      const claims = await guard.check(request.raw, url);
      if (claims !== null) request.user = claims;
    } catch (error) {
      if (!error.refusal) throw error;
      guard.tell(error, request, url, request.log);
      // Somebody else has answered, such as a hook with a time limit.
      if (reply.sent) return reply;
      const { status, headers, body } = error.refusal;
      // Not as text, to which Fastify would add a charset.
      return reply.code(status).headers(Object.fromEntries(headers)).send(Buffer.from(body));
    }
  });
}

// What fastify-plugin would do: the hook is for all routes of the scope, not only for those that the plugin itself has.
requireIdToken[Symbol.for('skip-override')] = true;
requireIdToken[Symbol.for('plugin-meta')] = { name: 'gatepass', fastify: '5.x' };

export default requireIdToken;
