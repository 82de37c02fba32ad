/** Verifying tokens with keys that are fetched, and what is refused. The corpus is in `vectors.test.js`. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';

import { GatePass, Verifier, VerifyError, unverified, verifyIdToken } from 'gatepass';

import { EMAIL, setEnvironment, startEmulator } from './support/emulator.js';
import { gateTo } from './support/servers.js';

const AUDIENCE = 'https://receiver.example';
const KEYS = '/oauth2/v3/certs';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());
beforeEach(async () => {
  await emulator.reset();
  setEnvironment(emulator.environment);
});

test('a token that gatepass has fetched; the keys are fetched once', async () => {
  const verifier = verifierOf();
  for (let i = 0; i < 3; i++) {
    const claims = await verifier.verify(await new GatePass().fetchIdToken(AUDIENCE));
    assert.deepEqual([claims.aud, claims.email, claims.email_verified], [AUDIENCE, EMAIL, true]);
  }
  assert.equal((await emulator.counts())[KEYS], 1);
});

test('one of several audiences; any audience only by an explicit option', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  await verifierOf({ audience: ['https://other.example', AUDIENCE] }).verify(token);
  await verifierOf({ audience: undefined, anyAudience: true }).verify(token);
  await assert.rejects(verifierOf({ audience: `${AUDIENCE}/` }).verify(token), {
    code: 'BAD_AUDIENCE',
    claim: 'aud',
  });
  for (const audience of [undefined, '', []]) {
    assert.throws(() => verifierOf({ audience }), { name: 'GatepassError', code: 'INVALID_OPTION' });
  }
});

test('each reason has its code', async () => {
  const now = Math.floor(Date.now() / 1000);
  const refused = [
    ['TOKEN_EXPIRED', { issued_at: now - 7200 }],
    ['TOKEN_ISSUED_IN_FUTURE', { issued_at: now + 600 }],
    ['BAD_ISSUER', { claims: { iss: 'https://evil.example' } }],
    ['MISSING_CLAIM', { omit: ['sub'] }],
    ['UNKNOWN_KEY', { header: { kid: 'unknown' } }],
    ['ALG_NOT_ALLOWED', { header: { alg: 'none' } }],
    ['UNKNOWN_KEY', { key: 'iap', header: { alg: 'RS256' } }],
    ['SIGNATURE_STRIPPED', { strip_signature: true }],
  ];
  const verifier = verifierOf();
  for (const [code, order] of refused) {
    const token = await emulator.mint({ ...order, claims: { aud: AUDIENCE, ...order.claims } });
    const error = await rejection(verifier.verify(token));
    assert.ok(error instanceof VerifyError);
    assert.equal(error.code, code);
    assert.ok(!error.stack.includes(token.split('.')[1]));
  }
});

test('callers by e-mail', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: 'a@p.iam.gserviceaccount.com' } });
  const unverified = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL, email_verified: false } });
  await verifierOf({ allowedEmails: [EMAIL, 'a@p.iam.gserviceaccount.com'] }).verify(token);
  await assert.rejects(verifierOf({ allowedEmails: EMAIL }).verify(token), { code: 'EMAIL_NOT_ALLOWED' });
  await assert.rejects(verifierOf({ allowedEmails: EMAIL }).verify(unverified), {
    code: 'EMAIL_NOT_VERIFIED',
  });
});

test('callers by their unique id, and by both', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL, sub: '42' } });
  await verifierOf({ allowedSubjects: ['7', '42'] }).verify(token);
  await verifierOf({ allowedSubjects: '42', allowedEmails: EMAIL }).verify(token);
  const refused = { name: 'VerifyError', code: 'SUBJECT_NOT_ALLOWED', claim: 'sub' };
  await assert.rejects(verifierOf({ allowedSubjects: '4' }).verify(token), refused);
  await assert.rejects(verifierOf({ allowedSubjects: '7', allowedEmails: EMAIL }).verify(token), refused);
});

test('presets of senders need to know who may call', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } });
  for (const preset of ['cloud_run', 'pubsub', 'cloud_tasks', 'cloud_scheduler', 'eventarc']) {
    await verifierOf({ preset, anyCaller: true }).verify(token);
    await verifierOf({ preset, allowedEmails: EMAIL }).verify(token);
    for (const callers of [{}, { allowedEmails: EMAIL, anyCaller: true }, { anyCaller: false }]) {
      assert.throws(() => verifierOf({ preset, ...callers }), {
        code: 'INVALID_OPTION',
        message: /`anyCaller`/,
      });
    }
  }
});

test('a list of callers that is empty lets nobody in', () => {
  for (const list of [[], '', ['']]) {
    for (const callers of [{ allowedEmails: list }, { allowedSubjects: list }]) {
      assert.throws(() => verifierOf(callers), { code: 'INVALID_OPTION', message: /empty/ });
    }
  }
});

test('Firebase: the audience is the project', async () => {
  const iss = 'https://securetoken.google.com/shop';
  const keys = await (await fetch(emulator.keysUrl)).json();
  const verifier = new Verifier({ preset: 'firebase', audience: 'shop', keys });
  const claims = await verifier.verify(await emulator.mint({ claims: { aud: 'shop', iss } }));
  assert.deepEqual([claims.iss, claims.aud], [iss, 'shop']);
  await assert.rejects(verifier.verify(await emulator.mint({ claims: { aud: 'shop' } })), {
    code: 'BAD_ISSUER',
  });
});

test('Cloud Run’s check of a signature that it has removed', async (t) => {
  const order = { claims: { aud: AUDIENCE, email: EMAIL, note: { a: [1] } } };
  const stripped = await emulator.mint({ ...order, strip_signature: true });
  const trusting = { preset: 'cloud_run', allowedEmails: EMAIL, trustCloudRunAndSkipSignature: true };
  assert.throws(() => verifierOf(trusting), { code: 'INVALID_OPTION', message: /K_SERVICE/ });

  process.env.K_SERVICE = 'receiver';
  t.after(() => delete process.env.K_SERVICE);
  await assert.rejects(verifierOf().verify(stripped), { code: 'SIGNATURE_STRIPPED' });
  const verifier = verifierOf(trusting);
  const claims = await verifier.verify(stripped);
  assert.deepEqual([claims.email, claims[unverified]], [EMAIL, true]);
  assert.match(inspect(claims), /\[Symbol\(gatepass\.unverified\)\]: true/);
  const proven = await verifier.verify(await emulator.mint(order));
  assert.ok(!(unverified in proven));
  await assert.rejects(verifierOf({ ...trusting, allowedEmails: 'a@b.example' }).verify(stripped), {
    code: 'EMAIL_NOT_ALLOWED',
  });
});

test('claims cannot be changed: others are given the same', async () => {
  const token = await emulator.mint({ claims: { aud: [AUDIENCE], email: EMAIL, note: { a: [1] } } });
  const verifier = verifierOf();
  const claims = await verifier.verify(token);
  assert.equal(await verifier.verify(token), claims);
  for (const object of [claims, claims.aud, claims.note, claims.note.a]) {
    assert.ok(Object.isFrozen(object));
  }
  assert.deepEqual({ ...claims, email: undefined }.note, { a: [1] });
});

test('whether a token is new, seen before or kept, its claims are the same', async () => {
  const claims = { aud: AUDIENCE, email: EMAIL };
  const tokens = [
    await emulator.mint({ claims }),
    await emulator.mint({ claims: { ...claims, name: 'Zoë 😀' } }),
  ];
  const verifier = verifierOf();
  await verifier.verify(await emulator.mint({ claims }));
  for (const token of tokens) {
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(await verifier.verify(token));
    for (let i = 0; i < 4; i++) seen.push(await verifier.verifyHeaders({ authorization: `Bearer ${token}` }));
    for (const one of seen) {
      assert.deepEqual(one, JSON.parse(Buffer.from(token.split('.')[1], 'base64url')));
      assert.ok(Object.isFrozen(one));
    }
    assert.equal(new Set(seen.slice(1)).size, 1);
  }
});

test('a token that was accepted is not recognised by the low bytes of its characters', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const verifier = verifierOf();
  for (let i = 0; i < 3; i++) await verifier.verify(token);
  for (const place of [0, token.length - 1]) {
    const letters = [...token];
    letters[place] = String.fromCharCode(0x100 + token.charCodeAt(place));
    const other = letters.join('');
    await assert.rejects(verifier.verify(other), { code: 'TOKEN_MALFORMED' });
    await assert.rejects(verifier.verifyHeaders({ authorization: `Bearer ${other}` }), {
      code: 'TOKEN_MALFORMED',
    });
  }
});

test('a token that was accepted is refused when its time is over', async () => {
  let now = Date.now();
  const token = await emulator.mint({ claims: { aud: AUDIENCE }, lifetime: 60 });
  const verifier = verifierOf({ leewaySeconds: 0, clock: () => now });
  for (let i = 0; i < 2; i++) assert.equal((await verifier.verify(token)).aud, AUDIENCE);
  now += 61_000;
  await assert.rejects(verifier.verify(token), { code: 'TOKEN_EXPIRED' });
});

test('thousands of tokens: everybody gets their own', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'key' }] };
  const iss = 'https://issuer.example';
  const verifier = new Verifier({ issuers: iss, algorithms: 'ES256', keys, audience: AUDIENCE });
  const iat = Math.floor(Date.now() / 1000);
  const tokens = Array.from({ length: 5_000 }, (_, i) => {
    const payload = { iss, aud: AUDIENCE, sub: String(i), iat, exp: iat + 3600 };
    const parts = [{ alg: 'ES256', kid: 'key' }, payload].map((part) => encoded(JSON.stringify(part)));
    const input = parts.join('.');
    return `${input}.${encoded(sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' }))}`;
  });
  for (let round = 0; round < 2; round++) {
    const claims = await Promise.all(tokens.map((token) => verifier.verify(token)));
    assert.deepEqual(
      claims.map(({ sub }) => sub),
      tokens.map((_, i) => String(i)),
    );
  }
});

test('another issuer, named in full', async () => {
  const iss = 'https://issuer.example';
  const token = await emulator.mint({ claims: { aud: AUDIENCE, iss } });
  const keys = await (await fetch(emulator.keysUrl)).json();
  const policy = { audience: AUDIENCE, issuers: iss, algorithms: 'RS256' };
  assert.equal((await new Verifier({ ...policy, keys }).verify(token)).iss, iss);
  assert.equal((await new Verifier({ ...policy, keysUrl: emulator.keysUrl }).verify(token)).iss, iss);
  // Without keys they are found by discovery, for which an issuer is one URL.
  assert.throws(() => new Verifier({ ...policy, issuers: [iss, 'https://other.example'] }), {
    code: 'INVALID_OPTION',
    message: /more than one issuer/,
  });
});

test('the headers of a request, of Node and of the Fetch API', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const verifier = verifierOf();
  await verifier.verifyHeaders({ authorization: `Bearer ${token}` });
  await verifier.verifyHeaders({
    authorization: 'Bearer other',
    'x-serverless-authorization': `bearer ${token}`,
  });
  await verifier.verifyHeaders(new Headers({ Authorization: `Bearer ${token}` }));
  for (const headers of [{}, new Headers(), { authorization: 'Basic eA==' }, []]) {
    await assert.rejects(verifier.verifyHeaders(headers), { name: 'VerifyError', code: 'TOKEN_MISSING' });
  }
});

test('headers in any form, with all their values', async () => {
  const bearer = `Bearer ${await emulator.mint({ claims: { aud: AUDIENCE } })}`;
  const verifier = verifierOf();
  for (const headers of [
    { Authorization: bearer, host: 'a' },
    { AUTHORIZATION: [bearer] },
    { authorization: bearer, 'x-serverless-authorization': undefined, 'X-Goog-IAP-JWT-Assertion': [] },
    new Map([['Authorization', bearer]]),
    new Map([['authorization', [bearer]]]),
    [['Authorization', bearer]],
    ['Host', 'a', 'Authorization', bearer],
    new Headers({ Authorization: bearer }),
  ]) {
    assert.equal((await verifier.verifyHeaders(headers)).aud, AUDIENCE);
  }
  for (const headers of [
    { authorization: [bearer, bearer] },
    { Authorization: bearer, authorization: bearer },
    { authorization: [bearer, ''] },
    [
      ['authorization', bearer],
      ['Authorization', bearer],
    ],
    ['authorization', bearer, 'host', 'a', 'Authorization', bearer],
    new Map([['authorization', [bearer, bearer]]]),
    new Headers([
      ['authorization', bearer],
      ['authorization', bearer],
    ]),
    { authorization: `${bearer}, ${bearer}` },
    { authorization: 42 },
  ]) {
    const refused = { name: 'VerifyError', message: /^(?!.*ey)/ };
    await assert.rejects(verifier.verifyHeaders(headers), refused);
  }
});

test('behind IAP', async () => {
  const audience = '/projects/1/global/backendServices/2';
  const token = await emulator.mint({ key: 'iap', claims: { aud: audience } });
  const verifier = new Verifier({ preset: 'iap', audience, keysUrl: emulator.iapKeysUrl });
  assert.equal((await verifier.verifyHeaders({ 'x-goog-iap-jwt-assertion': token })).aud, audience);
  await assert.rejects(verifier.verifyHeaders({ authorization: `Bearer ${token}` }), {
    code: 'TOKEN_MISSING',
  });
});

test('verifiers of one keys URL share the keys, and one flight', async (t) => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const gate = await gateTo(t, emulator.url);
  const verifiers = Array.from({ length: 10 }, (_, i) =>
    verifierOf({ keysUrl: gate.url + KEYS, audience: [AUDIENCE, `https://${i}.example`] }),
  );
  const verifying = verifiers.map((verifier) => verifier.verify(token));
  (await gate.next())();
  await Promise.all(verifying);
  await verifierOf({ keysUrl: gate.url + KEYS }).verify(token);
  assert.equal(gate.arrived, 1);
});

test('a hundred cold verifications fetch the keys once', async (t) => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const gate = await gateTo(t, emulator.url);
  const verifier = verifierOf({ keysUrl: gate.url + KEYS });
  const verifying = Array.from({ length: 100 }, () => verifier.verify(token));
  (await gate.next())();
  await Promise.all(verifying);
  assert.equal(gate.arrived, 1);
});

test('a caller that leaves while it fetches the keys blocks nobody', async (t) => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const gate = await gateTo(t, emulator.url);
  const verifier = verifierOf({ keysUrl: gate.url + KEYS });
  const leaver = new AbortController();
  const left = assert.rejects(verifier.verify(token, { signal: leaver.signal }), { name: 'AbortError' });
  const other = verifier.verify(token);
  const release = await gate.next();
  leaver.abort();
  await left;
  release();
  assert.equal((await other).aud, AUDIENCE);
  assert.equal(gate.arrived, 1);
});

test('keys that are away: try again, and then it works', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  const verifier = verifierOf();
  await emulator.fault({ path: KEYS, status: 404 });
  const error = await rejection(verifier.verify(token));
  assert.ok(error instanceof VerifyError);
  assert.deepEqual([error.code, error.refusal.status], ['KEYS_UNAVAILABLE', 503]);
  assert.equal((await verifier.verify(token)).aud, AUDIENCE);
});

test('whatever is no token is refused in gatepass’s own words', async () => {
  const verifier = verifierOf();
  const parts = (await emulator.mint({ claims: { aud: AUDIENCE } })).split('.');
  const letters = ['\0', 'é', 'Ａ', '\ud800', '😀', ' ', '\n'];
  const tokens = ['', '.', '..', 'a.b.c', 'x'.repeat(20_000), ...letters];
  // A letter whose low byte is that of another one must not become it.
  const wide = parts[0].replace(/./, (first) => String.fromCharCode(0x100 + first.charCodeAt(0)));
  for (const letter of letters) tokens.push(letter + parts.join('.'), parts.join(`${letter}.`));
  for (const token of [...tokens, [wide, parts[1], parts[2]].join('.')]) {
    const error = await rejection(verifier.verify(token));
    assert.ok(error instanceof VerifyError, String(error));
    assert.ok(['TOKEN_MALFORMED', 'TOKEN_TOO_LARGE', 'TOKEN_MISSING'].includes(error.code), error.code);
  }
});

test('the one-line call wants an audience and keeps to its options', async () => {
  await assert.rejects(verifyIdToken('a.b.c', { audience: AUDIENCE }), { name: 'VerifyError' });
  await assert.rejects(verifyIdToken('a.b.c'), { code: 'INVALID_OPTION', message: /no audience is given/ });
  for (const misplaced of [{ audiance: AUDIENCE }, { audience: AUDIENCE, allowedEmails: [EMAIL] }]) {
    await assert.rejects(verifyIdToken('a.b.c', misplaced), { code: 'INVALID_OPTION' });
  }
  await assert.rejects(verifierOf().verify('a.b.c', { allowedEmails: [EMAIL] }), { code: 'INVALID_OPTION' });
});

test('an option that is misspelt or makes no sense', () => {
  for (const [options, says] of [
    [{ audiance: 'a' }, /no option "audiance"; it has audience/],
    [{ preset: 'gogle' }, /expected one of google, cloud_run/],
    [{ leewaySeconds: 1e9 }, /at most 3600/],
    [{ keysUrl: 'http://keys.example' }, /https/],
    [{ keys: { keys: [] }, keysUrl: emulator.keysUrl }, /both/],
    [{ keys: 'hush' }, /JSON/],
  ]) {
    assert.throws(
      () => verifierOf({ keysUrl: undefined, ...options }),
      (error) => {
        assert.deepEqual([error.name, error.code], ['GatepassError', 'INVALID_OPTION']);
        assert.match(error.message, says);
        return !error.message.includes('hush');
      },
    );
  }
});

function encoded(bytes) {
  return Buffer.from(bytes).toString('base64url');
}

function verifierOf(options) {
  return new Verifier({ audience: AUDIENCE, keysUrl: emulator.keysUrl, ...options });
}

async function rejection(promise) {
  return await promise.then(
    () => assert.fail('expected a rejection'),
    (error) => error,
  );
}
