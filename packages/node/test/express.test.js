/** The middleware, in a real Express application over real HTTP. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import express from 'express';
import { requireIdToken } from 'gatepass/express';

import { EMAIL, startEmulator } from './support/emulator.js';
import { serve } from './support/servers.js';

const AUDIENCE = 'https://receiver.example';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());
beforeEach(() => emulator.reset());

test('a valid token: the claims are req.auth', async (t) => {
  const url = await application(t);
  const response = await call(url, await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } }));
  assert.deepEqual([response.status, await response.json()], [200, { email: EMAIL }]);
});

test('a refused token: 401, and the code in the body', async (t) => {
  const told = [];
  const url = await application(t, { onRefusal: (error, req) => told.push([error.code, req.url]) });
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const [header, payload, signature] = token.split('.');
  const refused = [
    ['TOKEN_MISSING', undefined],
    ['TOKEN_MALFORMED', 'a b'],
    ['BAD_AUDIENCE', await emulator.mint({ claims: { aud: 'https://other.example' } })],
    ['TOKEN_EXPIRED', await emulator.mint({ claims: { aud: AUDIENCE }, issued_at: 1_000_000_000 })],
    ['BAD_SIGNATURE', [header, payload, signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))].join('.')],
    ['SIGNATURE_STRIPPED', await emulator.mint({ claims: { aud: AUDIENCE }, strip_signature: true })],
  ];
  for (const [code, refusedToken] of refused) {
    const response = await call(url, refusedToken);
    assert.equal(response.status, 401);
    assert.equal(response.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), { error: code });
    assert.deepEqual(told.pop(), [code, '/']);
  }
});

test('a caller who is not on the list: 403', async (t) => {
  const url = await application(t, { allowedEmails: ['friend@p.iam.gserviceaccount.com'] });
  const response = await call(url, await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } }));
  assert.deepEqual([response.status, await response.json()], [403, { error: 'EMAIL_NOT_ALLOWED' }]);
});

test('keys that cannot be had: 503 with Retry-After, and the next request works', async (t) => {
  const url = await application(t);
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } });
  await emulator.fault({ path: '/oauth2/v3/certs', status: 404 });
  const response = await call(url, token);
  assert.deepEqual([response.status, await response.json()], [503, { error: 'KEYS_UNAVAILABLE' }]);
  assert.match(response.headers.get('retry-after'), /^\d+$/);
  assert.equal((await call(url, token)).status, 200);
});

test('X-Serverless-Authorization comes before Authorization', async (t) => {
  const url = await application(t);
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } });
  const headers = { Authorization: 'Bearer other', 'X-Serverless-Authorization': `Bearer ${token}` };
  assert.equal((await fetch(url, { headers })).status, 200);
});

test('an error of what comes behind is not the middleware’s', async (t) => {
  const url = await application(t, {}, () => {
    throw new Error('a fault of the application');
  });
  const response = await call(url, await emulator.mint({ claims: { aud: AUDIENCE } }));
  assert.deepEqual([response.status, await response.text()], [500, 'a fault of the application']);
});

test('an audience is asked for when the application starts', () => {
  assert.throws(() => requireIdToken(), { code: 'INVALID_OPTION' });
  assert.throws(() => requireIdToken({ audiance: AUDIENCE }), { code: 'INVALID_OPTION' });
});

async function application(t, options, handler = (req, res) => res.json({ email: req.auth.email })) {
  const app = express();
  app.use(requireIdToken({ audience: AUDIENCE, keysUrl: emulator.keysUrl, ...options }));
  app.get('/', handler);
  app.use((error, _req, res, _next) => res.status(500).send(error.message));
  return await serve(t, app);
}

async function call(url, token) {
  return await fetch(url, { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
}
