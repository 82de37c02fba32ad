/** The plugin, in a real Fastify application over real HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import fastify from 'fastify';
import plugin, { claimsOf, requireIdToken } from 'gatepass/fastify';

import { AUDIENCE, call, testMiddleware } from './support/middleware.js';

const { options, valid } = testMiddleware('request.user', application);

test('an error of what comes behind is not the plugin’s', async (t) => {
  const url = await application(t, options(), async () => {
    throw new Error('a fault of the application');
  });
  const response = await call(url, await valid());
  assert.deepEqual([response.status, (await response.json()).message], [500, 'a fault of the application']);
});

test('it guards the scope that it is registered in, and those within', async (t) => {
  const app = fastify();
  app.get('/open', async (request) => ({ isKnown: 'user' in request }));
  app.register(async (scope) => {
    scope.register(plugin, options());
    scope.get('/guarded', async ({ user }) => user);
    scope.register(async (inner) => {
      // The same caller would have to satisfy both.
      inner.register(plugin, options({ allowedEmails: 'friend@p.iam.gserviceaccount.com' }));
      inner.get('/for-friends', async ({ user }) => user);
    });
  });
  const url = await listen(t, app);
  assert.deepEqual(await (await call(`${url}/open`)).json(), { isKnown: false });
  assert.equal((await call(`${url}/guarded`)).status, 401);
  const token = await valid();
  assert.equal((await (await call(`${url}/guarded`, token)).json()).aud, AUDIENCE);
  assert.equal((await call(`${url}/for-friends`, token)).status, 403);
});

test('the claims, typed', async (t) => {
  const url = await application(t, options({ optional: true }), async (request) => ({
    isSame: claimsOf(request) === request.user,
  }));
  assert.deepEqual(await (await call(url, await valid())).json(), { isSame: true });
  assert.equal((await call(url)).status, 500);
});

test('a refused request is one line in the log', async (t) => {
  const lines = [];
  const app = fastify({
    logger: { level: 'warn', stream: { write: (line) => lines.push(JSON.parse(line)) } },
  });
  app.register(requireIdToken, options());
  app.get('/', async () => '');
  await call(await listen(t, app), 'a.b.c');
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg.split(': ', 3).join(': ')]),
    [[40, 'gatepass: refused with 401 TOKEN_MALFORMED: path "/", claimed e-mail (unverified) none']],
  );
});

test('an audience is asked for when the application starts', async () => {
  for (const options of [{}, { audiance: AUDIENCE }]) {
    await assert.rejects(fastify().register(requireIdToken, options).ready(), { code: 'INVALID_OPTION' });
  }
});

async function application(t, options, handler = async ({ user }) => ({ email: user?.email ?? null })) {
  const app = fastify();
  app.register(requireIdToken, options);
  // Behind the plugin in the file, but in its scope whatever the order.
  app.get('/', handler);
  return await listen(t, app);
}

async function listen(t, app) {
  t.after(() => app.close());
  return await app.listen({ port: 0, host: '127.0.0.1' });
}
