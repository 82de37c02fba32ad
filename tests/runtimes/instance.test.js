/** The life of an instance of the module: a panic ends it and nothing else, and what it does leaves nothing behind. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';

process.env.GATEPASS_BACKEND = 'wasm';
const { GatePass, Verifier, audienceForUrl } = await import('gatepass');
/** The same module as the package's: CommonJS has one of each. */
const glue = createRequire(import.meta.url)('../../packages/js/wasm/gatepass.cjs');

const AUDIENCE = 'https://receiver.example';
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEYS = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a', alg: 'RS256' }] };

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(claims = {}) {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: 'https://accounts.google.com',
    aud: AUDIENCE,
    sub: '1',
    iat: now,
    exp: now + 3600,
    ...claims,
  };
  const message = `${encoded({ alg: 'RS256', kid: 'a' })}.${encoded(payload)}`;
  return `${message}.${sign('sha256', Buffer.from(message), privateKey).toString('base64url')}`;
}

/** The memory of the instance in use. */
const memory = () => new Uint8Array(glue.initSync().memory.buffer);

/** Makes the next call panic, or worse. */
const spoil = () => memory().fill(0xff);

test('a panic is the error of its call, and of no other', async () => {
  const verifier = new Verifier({ audience: AUDIENCE, keys: KEYS });
  const before = new Verifier({ audience: AUDIENCE, keys: KEYS });
  assert.equal((await verifier.verify(token())).sub, '1');
  for (let round = 0; round < 3; round++) {
    spoil();
    await assert.rejects(verifier.verify(token()), { code: 'INTERNAL', message: /gatepass panicked/ });
    // The same objects go on, and decide as before.
    assert.equal((await verifier.verify(token({ sub: '2' }))).sub, '2');
    assert.equal((await before.verify(token())).sub, '1');
    await assert.rejects(verifier.verify(token({ aud: 'https://another.example' })), {
      code: 'BAD_AUDIENCE',
    });
    assert.equal(audienceForUrl('https://a.run.app/x'), 'https://a.run.app');
  }
});

test('what is under way when another call panics is begun again', async (t) => {
  let [arrived, release] = [];
  const asked = new Promise((resolve) => (arrived = resolve));
  const released = new Promise((resolve) => (release = resolve));
  let requests = 0;
  const server = createServer(async (_request, response) => {
    requests += 1;
    arrived();
    await released;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(KEYS));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const keysUrl = `http://127.0.0.1:${server.address().port}/keys`;
  const verifier = new Verifier({ audience: AUDIENCE, keysUrl });
  const calls = [verifier.verify(token()), verifier.verify(token()), verifier.verify(token({ sub: '2' }))];
  await asked;
  spoil();
  assert.throws(() => audienceForUrl('https://a.run.app/x'), { code: 'INTERNAL' });
  release();
  assert.deepEqual(
    (await Promise.all(calls)).map(({ sub }) => sub),
    ['1', '1', '2'],
  );
  assert.equal(requests, 2);
});

test('a source goes on after a panic', async () => {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const credentials = {
    type: 'service_account',
    client_email: 'caller@project.iam.gserviceaccount.com',
    private_key: pem,
    private_key_id: 'a',
    token_uri: 'https://oauth2.googleapis.com/token',
  };
  const gatepass = new GatePass({ credentials });
  const first = await gatepass.fetchSelfSignedJwt(AUDIENCE);
  spoil();
  await assert.rejects(gatepass.fetchSelfSignedJwt('https://another.example'), { code: 'INTERNAL' });
  const second = await gatepass.fetchSelfSignedJwt('https://another.example');
  assert.equal(JSON.parse(atob(second.split('.')[1])).aud, 'https://another.example');
  assert.equal(
    await gatepass.fetchSelfSignedJwt(AUDIENCE),
    first,
    'what is remembered outside of it is kept',
  );
});

test('a token that is known by itself is none as a header, nor the other way round', async () => {
  const verifier = new Verifier({ audience: AUDIENCE, keys: KEYS });
  const [bare, inHeader] = [token({ sub: '1' }), token({ sub: '2' })];
  for (let i = 0; i < 4; i += 1) {
    assert.equal((await verifier.verify(bare)).sub, '1');
    assert.equal((await verifier.verifyHeaders({ authorization: `Bearer ${inHeader}` })).sub, '2');
    await assert.rejects(verifier.verifyHeaders({ authorization: bare }), { code: 'TOKEN_MISSING' });
    await assert.rejects(verifier.verify(`Bearer ${inHeader}`), { code: 'TOKEN_MALFORMED' });
    // The other header comes first.
    const both = { authorization: `Bearer ${inHeader}`, 'x-serverless-authorization': `Bearer ${bare}` };
    assert.equal((await verifier.verifyHeaders(both)).sub, '1');
  }
});

/** `VERIFICATIONS=1000000 node --test instance.test.js` takes some minutes. */
const VERIFICATIONS = Number(process.env.VERIFICATIONS ?? 10_000);

test(`${VERIFICATIONS} verifications leave the memory as it is`, async () => {
  const verifier = new Verifier({ audience: AUDIENCE, keys: KEYS, rememberedBytes: 100_000 });
  const good = Array.from({ length: 200 }, (_, i) => token({ sub: `${i}` }));
  const bad = good.map((one, i) =>
    i % 2 === 0 ? `${one.slice(0, -4)}AAAA` : token({ aud: 'https://another.example' }),
  );
  const verify = async (count) => {
    let accepted = 0;
    for (let i = 0; i < count; i += 1) {
      const one = (i % 4 === 3 ? bad : good)[i % 200];
      accepted += await verifier.verify(one).then(
        () => 1,
        () => 0,
      );
    }
    return accepted / count;
  };
  // The cache fills, and callers' garbage is collected some time.
  assert.equal(await verify(VERIFICATIONS / 2), 3 / 4);
  const size = memory().length;
  assert.equal(await verify(VERIFICATIONS / 2), 3 / 4);
  assert.equal(memory().length, size);
});
