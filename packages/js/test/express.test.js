/** The middleware, in a real Express application over real HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import express from 'express';
import { claimsOf, requireIdToken } from 'gatepass/express';

import { AUDIENCE, call, testMiddleware } from './support/middleware.js';
import { EMAIL } from './support/emulator.js';
import { gateTo, serve } from './support/servers.js';

const { options, valid } = testMiddleware('req.auth', application);

test('an error of what comes behind is not the middleware’s', async (t) => {
  const url = await application(t, options(), () => {
    throw new Error('a fault of the application');
  });
  const response = await call(url, await valid());
  assert.deepEqual([response.status, await response.text()], [500, 'a fault of the application']);
});

test('the claims, typed', async (t) => {
  const url = await application(t, options({ optional: true }), (req, res) => {
    res.json({ isSame: claimsOf(req) === req.auth });
  });
  assert.deepEqual(await (await call(url, await valid())).json(), { isSame: true });
  const response = await call(url);
  assert.deepEqual([response.status, /no claims/.test(await response.text())], [500, true]);
});

test('a refused request is one line in the log, without the token', async (t) => {
  const { mock } = t.mock.method(console, 'warn', () => {});
  const url = await application(t, options({ audience: 'https://other.example' }));
  const token = await valid();
  await call(`${url}/a\u00e9?hush`, token);
  await call(url);
  const lines = mock.calls.map(({ arguments: args }) => args.join(' '));
  const refused = (code, path, email) =>
    `gatepass: refused with 401 ${code}: path "${path}", claimed e-mail (unverified) ${email}: `;
  assert.ok(lines[0].startsWith(refused('BAD_AUDIENCE', '/a%C3%A9', `"${EMAIL}"`)), lines[0]);
  assert.ok(lines[1].startsWith(refused('TOKEN_MISSING', '/', 'none')), lines[1]);
  assert.ok(!lines.join().includes(token) && lines.length === 2, lines.join());
});

test('where the trouble is the service’s own, the line is one of an error', async (t) => {
  const { mock } = t.mock.method(console, 'error', () => {});
  const url = await application(t, options({ keysUrl: `${new URL(options().keysUrl).origin}/nothing` }));
  assert.equal((await call(url, await valid())).status, 503);
  const [[line]] = mock.calls.map(({ arguments: args }) => args);
  assert.ok(line.startsWith('gatepass: refused with 503 KEYS_UNAVAILABLE: path "/", '), line);
});

test('a request that somebody else has answered meanwhile takes nothing down', async (t) => {
  const gate = await gateTo(t, options().keysUrl);
  let answered;
  const told = [];
  const guard = requireIdToken(options({ keysUrl: gate.url, onRefusal: ({ code }) => told.push(code) }));
  const ended = new Promise((resolve) => {
    answered = resolve;
  });
  // As a server without a framework calls it: nobody has the promise.
  const url = await serve(t, (req, res) => {
    const next = () => assert.fail('the request went on');
    answered(guard(req, res, next));
    res.writeHead(504).end();
  });
  const response = await call(url, await valid().then((token) => `${token}x`));
  assert.equal(response.status, 504);
  (await gate.next())();
  await ended;
  assert.equal(told.length, 1);
});

test('an audience is asked for when the application starts', () => {
  assert.throws(() => requireIdToken(), { code: 'INVALID_OPTION' });
  assert.throws(() => requireIdToken({ audiance: AUDIENCE }), { code: 'INVALID_OPTION' });
});

async function application(t, options, handler = (req, res) => res.json({ email: req.auth?.email ?? null })) {
  const app = express();
  app.use(requireIdToken(options));
  app.get('/', handler);
  app.use((error, _req, res, _next) => res.status(500).send(error.message));
  return await serve(t, app);
}
