/** What every framework's middleware must do, in a real application over real HTTP. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { EMAIL, setEnvironment, startEmulator } from './emulator.js';

export const AUDIENCE = 'https://receiver.example';

/**
 * Defines the tests.
 *
 * @param {string} place where the framework's users expect the claims, for the tests' names
 * @param {(t, options) => Promise<string>} start starts an application that answers `GET /` with the caller's e-mail, as
 *   JSON, and gives its URL; the options are for the middleware
 * @returns a function that gives options for the middleware, and a token that it accepts
 */
export function testMiddleware(place, start) {
  let emulator;
  before(async () => (emulator = await startEmulator()));
  after(() => emulator?.stop());
  beforeEach(async () => {
    await emulator.reset();
    setEnvironment(emulator.environment);
  });

  const valid = async () => await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } });
  const options = (others) => ({ audience: AUDIENCE, keysUrl: emulator.keysUrl, ...others });

  test(`a valid token: the claims are ${place}`, async (t) => {
    const response = await call(await start(t, options()), await valid());
    assert.deepEqual([response.status, await response.json()], [200, { email: EMAIL }]);
  });

  test('a refused token: 401, and the code in the body', async (t) => {
    const told = [];
    const onRefusal = (error, request) => told.push([error.code, request.url]);
    const url = await start(t, options({ onRefusal }));
    const [header, payload, signature] = (await valid()).split('.');
    const refused = [
      ['TOKEN_MISSING', undefined],
      ['TOKEN_MALFORMED', 'a b'],
      ['BAD_AUDIENCE', await emulator.mint({ claims: { aud: 'https://other.example' } })],
      ['TOKEN_EXPIRED', await emulator.mint({ claims: { aud: AUDIENCE }, issued_at: 1_000_000_000 })],
      ['BAD_SIGNATURE', [header, payload, signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))].join('.')],
      ['SIGNATURE_STRIPPED', await emulator.mint({ claims: { aud: AUDIENCE }, strip_signature: true })],
    ];
    for (const [code, token] of refused) {
      const response = await call(url, token);
      assert.equal(response.status, 401);
      // RFC 6750, section 3.1: no error code where there is no token.
      const challenge = code === 'TOKEN_MISSING' ? 'Bearer' : 'Bearer error="invalid_token"';
      assert.equal(response.headers.get('www-authenticate'), challenge);
      assert.equal(response.headers.get('content-type'), 'application/json');
      assert.deepEqual(await response.json(), { error: code });
      assert.deepEqual(told.pop(), [code, '/']);
    }
  });

  test('a caller who is not on the list: 403', async (t) => {
    const url = await start(t, options({ allowedEmails: ['friend@p.iam.gserviceaccount.com'] }));
    const response = await call(url, await valid());
    assert.deepEqual([response.status, await response.json()], [403, { error: 'EMAIL_NOT_ALLOWED' }]);
  });

  test('keys that cannot be had: 503 with Retry-After, and the next request works', async (t) => {
    const url = await start(t, options());
    const token = await valid();
    await emulator.fault({ path: '/oauth2/v3/certs', status: 404 });
    const response = await call(url, token);
    assert.deepEqual([response.status, await response.json()], [503, { error: 'KEYS_UNAVAILABLE' }]);
    assert.match(response.headers.get('retry-after'), /^\d+$/);
    assert.equal((await call(url, token)).status, 200);
  });

  test('X-Serverless-Authorization comes before Authorization', async (t) => {
    const url = await start(t, options());
    const headers = {
      Authorization: 'Bearer other',
      'X-Serverless-Authorization': `Bearer ${await valid()}`,
    };
    assert.equal((await fetch(url, { headers })).status, 200);
  });

  return { options, valid };
}

export async function call(url, token) {
  return await fetch(url, { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
}
