/** The middleware, in a real Express application over real HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import express from 'express';
import { requireIdToken } from 'gatepass/express';

import { AUDIENCE, call, testMiddleware } from './support/middleware.js';
import { serve } from './support/servers.js';

const { options, valid } = testMiddleware('req.auth', application);

test('an error of what comes behind is not the middleware’s', async (t) => {
  const url = await application(t, options(), () => {
    throw new Error('a fault of the application');
  });
  const response = await call(url, await valid());
  assert.deepEqual([response.status, await response.text()], [500, 'a fault of the application']);
});

test('an audience is asked for when the application starts', () => {
  assert.throws(() => requireIdToken(), { code: 'INVALID_OPTION' });
  assert.throws(() => requireIdToken({ audiance: AUDIENCE }), { code: 'INVALID_OPTION' });
});

async function application(t, options, handler = (req, res) => res.json({ email: req.auth.email })) {
  const app = express();
  app.use(requireIdToken(options));
  app.get('/', handler);
  app.use((error, _req, res, _next) => res.status(500).send(error.message));
  return await serve(t, app);
}
