/** A hello service: the framework, and who verifies, are its arguments; the policy is its first message. */

import { once } from 'node:events';
import { createServer } from 'node:http';

import { load } from '../peers/index.mjs';

const [, , framework, peer] = process.argv;
const [policy] = await once(process, 'message');
const service = { express: expressService, fastify: fastifyService }[framework];
process.send(await service());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send(user + system);
});
process.on('disconnect', () => process.exit());

async function expressService() {
  const { default: express } = await import('express');
  const app = express();
  if (peer === 'gatepass') {
    const { requireIdToken } = await import('gatepass/express');
    app.use(requireIdToken({ preset: policy.preset, audience: policy.audience, keys: policy.jwks }));
  } else if (peer !== 'bare') {
    const verify = (await load(peer)).verifier(policy);
    app.use(async (req, res, next) => {
      try {
        req.auth = await verify(tokenOf(req));
      } catch (error) {
        return res.status(401).send(error.message);
      }
      next();
    });
  }
  app.get('/', (req, res) => res.send(`hello ${req.auth?.email}`));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

async function fastifyService() {
  const { default: fastify } = await import('fastify');
  const app = fastify();
  if (peer === 'gatepass') {
    const { requireIdToken } = await import('gatepass/fastify');
    app.register(requireIdToken, { preset: policy.preset, audience: policy.audience, keys: policy.jwks });
  } else if (peer !== 'bare') {
    const verify = (await load(peer)).verifier(policy);
    app.decorateRequest('user', null);
    app.addHook('onRequest', async (req) => {
      req.user = await verify(tokenOf(req));
    });
  }
  app.get('/', async (req) => `hello ${req.user?.email}`);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
}

function tokenOf({ headers: { authorization = '' } }) {
  return authorization.slice('Bearer '.length);
}
