/** A plugin for Fastify. */

import { Verifier } from './index.js';

export async function requireIdToken(fastify, { onRefusal, ...options }) {
  const verifier = new Verifier(options);
  if (!fastify.hasRequestDecorator('user')) fastify.decorateRequest('user', null);
  fastify.addHook('onRequest', async function requireIdToken(request, reply) {
    try {
      request.user = await verifier.verifyHeaders(request.headers);
    } catch (error) {
      if (!error.refusal) throw error;
      onRefusal?.(error, request);
      const { status, headers, body } = error.refusal;
      // Not as text, to which Fastify would add a charset.
      return reply.code(status).headers(Object.fromEntries(headers)).send(Buffer.from(body));
    }
  });
}

// What fastify-plugin would do: the hook holds for the routes beside the plugin, not only for those that it has itself.
requireIdToken[Symbol.for('skip-override')] = true;
requireIdToken[Symbol.for('plugin-meta')] = { name: 'gatepass', fastify: '5.x' };

export default requireIdToken;
