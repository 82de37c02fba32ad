/** What every framework's middleware must do, in a real application over real HTTP. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
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

  test('without a token, where that is wanted; never with a bad one', async (t) => {
    const url = await start(t, options({ optional: true, onRefusal: () => {} }));
    const response = await call(url);
    assert.deepEqual([response.status, await response.json()], [200, { email: null }]);
    assert.deepEqual(await (await call(url, await valid())).json(), { email: EMAIL });
    assert.equal((await call(url, 'a.b.c')).status, 401);
  });

  test('paths that are open, and no others', async (t) => {
    const url = await start(t, options({ openPaths: ['/', '/healthz'], onRefusal: () => {} }));
    assert.equal((await call(url)).status, 200);
    assert.equal((await call(`${url}/?a=b`)).status, 200);
    for (const path of ['/healthz/', '//', '/healthz/..', '/HEALTHZ', '/%68ealthz', '/other']) {
      assert.equal(
        await statusOf(url, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
        401,
        path,
      );
    }
  });

  test('a preflight request of a browser, where that is wanted', async (t) => {
    const headers = { origin: 'https://page.example', 'access-control-request-method': 'GET' };
    // Not by `fetch`, which makes these itself.
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const preflight = (lines) =>
      `OPTIONS / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines.join('')}\r\n`;
    const open = await start(t, options({ allowCorsPreflight: true, onRefusal: () => {} }));
    assert.notEqual(await statusOf(open, preflight(lines)), 401);
    assert.equal(await statusOf(open, preflight(lines.slice(1))), 401);
    assert.equal((await fetch(open, { headers })).status, 401);
    assert.equal(await statusOf(await start(t, options({ onRefusal: () => {} })), preflight(lines)), 401);
  });

  test('a hook that throws: the framework’s own error handling', async (t) => {
    const url = await start(
      t,
      options({
        onRefusal: () => {
          throw new Error('a fault of the hook');
        },
      }),
    );
    for (let i = 0; i < 2; i++) assert.equal((await call(url)).status, 500);
    assert.equal((await call(url, await valid())).status, 200);
  });

  test('a hook whose promise is rejected: the request is refused, and the process goes on', async (t) => {
    const rejections = [];
    const note = (reason) => rejections.push(reason);
    process.on('unhandledRejection', note);
    t.after(() => process.off('unhandledRejection', note));
    const onRefusal = () => Promise.reject(new TypeError('a fault of the hook'));
    const url = await start(t, options({ onRefusal }));
    assert.equal((await call(url)).status, 401);
    // A rejection is noticed when the microtasks are done: before any other request is answered.
    assert.equal((await call(url)).status, 401);
    assert.deepEqual(rejections, []);
  });

  return { options, valid };
}

/** The status of the answer to a raw request. */
async function statusOf(url, text) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(text);
  const answer = Buffer.concat(await socket.toArray()).toString();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

export async function call(url, token) {
  return await fetch(url, { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
}
