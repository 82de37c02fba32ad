/** The middlewares behind HTTP/2 without TLS (h2c), which Cloud Run can use. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import { after, before, test } from 'node:test';

import fastify from 'fastify';
import { claimsOf, requireIdToken } from 'gatepass/express';
import plugin from 'gatepass/fastify';

import { EMAIL, startEmulator } from './support/emulator.js';

const AUDIENCE = 'https://receiver.example';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());

const options = (others) => ({
  audience: AUDIENCE,
  keysUrl: emulator.keysUrl,
  onRefusal: () => {},
  ...others,
});

const servers = {
  'what is made for Express': async (t) => {
    const guard = requireIdToken(options());
    const server = createServer((req, res) =>
      guard(req, res, (error) => res.end(error ? '' : claimsOf(req).email)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return `http://127.0.0.1:${server.address().port}`;
  },
  Fastify: async (t) => {
    const app = fastify({ http2: true });
    app.register(plugin, options());
    app.get('/', async (request) => claimsOf(request).email);
    t.after(() => app.close());
    return await app.listen({ port: 0, host: '127.0.0.1' });
  },
};

for (const [name, start] of Object.entries(servers)) {
  test(`${name} accepts and refuses`, async (t) => {
    const url = await start(t);
    const token = await emulator.mint({ audience: AUDIENCE, email: EMAIL });
    assert.deepEqual(await call(url, { authorization: `Bearer ${token}` }), [200, EMAIL]);
    assert.deepEqual(
      await call(url, { 'x-serverless-authorization': `Bearer ${token}`, authorization: 'a' }),
      [200, EMAIL],
    );
    assert.deepEqual(await call(url, {}), [401, '{"error":"TOKEN_MISSING"}']);
    // Of this header the protocol's implementation lets several through.
    const several = { 'x-serverless-authorization': [`Bearer ${token}`, `Bearer ${token}`] };
    assert.deepEqual(await call(url, several), [401, '{"error":"TOKEN_MALFORMED"}']);
  });
}

async function call(url, headers) {
  const session = connect(url);
  const request = session.request({ ':path': '/', ...headers });
  const [{ ':status': status }] = await once(request, 'response');
  const body = Buffer.concat(await request.toArray()).toString();
  session.close();
  return [status, body];
}
