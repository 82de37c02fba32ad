/** Fetching tokens: from the metadata server and with a key file, once for all who ask. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import {
  CredentialsError,
  GatePass,
  GatepassError,
  TransportError,
  fetchAccessToken,
  fetchIdToken,
} from 'gatepass';

import { host } from '../src/node/host.js';
import { CALLER, EMAIL, setEnvironment, startEmulator, temporaryFolder } from './support/emulator.js';
import { gateTo, serve } from './support/servers.js';

const AUDIENCE = 'https://receiver.example';
const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity';
const ACCESS = '/computeMetadata/v1/instance/service-accounts/default/token';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());
beforeEach(async () => {
  await emulator.reset();
  setEnvironment(emulator.environment);
});

test('an ID token from the metadata server, cached process-wide', async () => {
  const token = await fetchIdToken(AUDIENCE);
  const { aud, email } = claimsOf(token);
  assert.deepEqual({ aud, email }, { aud: AUDIENCE, email: EMAIL });
  assert.equal(await fetchIdToken(AUDIENCE), token);
  assert.deepEqual(await emulator.counts(), { [IDENTITY]: 1 });
});

test('an access token from the metadata server', async () => {
  const token = await fetchAccessToken([SCOPE]);
  assert.match(token, /^\S+$/);
  assert.equal(await fetchAccessToken(SCOPE), token);
  assert.deepEqual(await emulator.counts(), { [ACCESS]: 1 });
});

test('as another account, which the found credentials may impersonate', async () => {
  const impersonate = 'orders@shop.iam.gserviceaccount.com';
  const token = await new GatePass({ impersonate }).fetchIdToken(AUDIENCE);
  const { aud, email } = claimsOf(token);
  assert.deepEqual({ aud, email }, { aud: AUDIENCE, email: impersonate });
});

test('a service account that signs for itself', async () => {
  const gatepass = new GatePass({
    credentials: await emulator.keyFile('--email', CALLER),
    selfSignedAccessTokens: true,
  });
  const token = await gatepass.fetchSelfSignedJwt(AUDIENCE);
  assert.deepEqual(
    [claimsOf(token).iss, claimsOf(token).aud],
    ['caller@emulator.iam.gserviceaccount.com', AUDIENCE],
  );
  assert.equal(await gatepass.fetchSelfSignedJwt(AUDIENCE), token);
  assert.equal(claimsOf(await gatepass.fetchAccessToken(SCOPE)).scope, SCOPE);
  assert.deepEqual(await emulator.counts(), {});
});

test('what the credentials cannot do', async () => {
  const subject = new GatePass({ subject: 'jane@example.com' });
  await assert.rejects(subject.fetchAccessToken(SCOPE), { code: 'SUBJECT_UNSUPPORTED' });
  await assert.rejects(new GatePass().fetchSelfSignedJwt(AUDIENCE), { code: 'SELF_SIGNED_JWT_UNSUPPORTED' });
  const expecting = new GatePass({ expectType: 'service_account' });
  await assert.rejects(expecting.fetchIdToken(AUDIENCE), { code: 'CREDENTIALS_TYPE_UNEXPECTED' });
});

test('every option crosses the border', (t) => {
  const given = {};
  t.mock.method(host.native, 'Source', function (json) {
    Object.assign(given, JSON.parse(json));
  });
  new GatePass({
    credentials: { type: 'a' },
    impersonate: 'b',
    delegates: 'c',
    subject: 'd',
    selfSignedAccessTokens: true,
    gdchAudience: 'e',
    allowUserIdToken: true,
    expectType: 'f',
    quotaProjectId: 'g',
    universeDomain: 'h',
    trustedEndpoints: ['i'],
    suppliers: { own: () => 'j' },
  });
  const { seed, ...others } = given;
  assert.ok(Number.isSafeInteger(seed));
  assert.deepEqual(others, {
    credentials_json: '{"type":"a"}',
    impersonate: 'b',
    delegates: ['c'],
    subject: 'd',
    self_signed_access_tokens: true,
    gdch_audience: 'e',
    allow_user_id_token: true,
    expect_type: 'f',
    quota_project_id: 'g',
    universe_domain: 'h',
    trusted_endpoints: ['i'],
  });
});

test('the key file that GOOGLE_APPLICATION_CREDENTIALS names', async (t) => {
  const keyFilename = await keyFile(t);
  setEnvironment({ ...emulator.environment, GOOGLE_APPLICATION_CREDENTIALS: keyFilename });
  assertCaller(await new GatePass().fetchIdToken(AUDIENCE));
});

test('credentials that the program gives: a path, an object, text', async (t) => {
  const key = await emulator.keyFile('--email', CALLER);
  const given = [
    { keyFilename: await keyFile(t) },
    { credentials: key },
    { credentials: JSON.stringify(key) },
  ];
  for (const options of given) assertCaller(await new GatePass(options).fetchIdToken(AUDIENCE));
  assert.match(await new GatePass({ credentials: key }).fetchAccessToken([SCOPE]), /^\S+$/);
  assert.deepEqual(await emulator.counts(), { '/token': 4 });
});

test('an endpoint that the program trusts', async () => {
  setEnvironment({});
  const credentials = await emulator.keyFile('--email', CALLER);
  await assert.rejects(new GatePass({ credentials }).fetchIdToken(AUDIENCE), {
    code: 'ENDPOINT_NOT_ALLOWED',
  });
  const trustedEndpoints = [new URL(emulator.url).host];
  assertCaller(await new GatePass({ credentials, trustedEndpoints }).fetchIdToken(AUDIENCE));
});

test('a hundred callers of a cold source make one request', async (t) => {
  const gate = await gatedMetadataServer(t);
  const source = new GatePass();
  const calls = Array.from({ length: 100 }, () => source.fetchIdToken(AUDIENCE));
  (await gate.next())();
  assert.equal(new Set(await Promise.all(calls)).size, 1);
  assert.equal(gate.arrived, 1);
});

test('a caller that leaves although it has begun the fetch takes nothing with it', async (t) => {
  const gate = await gatedMetadataServer(t);
  const source = new GatePass();
  const leaver = new AbortController();
  const left = assert.rejects(source.fetchIdToken(AUDIENCE, { signal: leaver.signal }), {
    message: 'had enough',
  });
  const others = Array.from({ length: 10 }, () => source.fetchIdToken(AUDIENCE));
  const release = await gate.next();
  leaver.abort(new Error('had enough'));
  await left;
  release();
  assert.equal(new Set(await Promise.all(others)).size, 1);
  assert.equal(gate.arrived, 1);
});

test('callers who never wait long enough are served all the same', async (t) => {
  const gate = await gatedMetadataServer(t);
  const source = new GatePass();
  const hurried = async () => {
    const leaver = new AbortController();
    const left = assert.rejects(source.fetchIdToken(AUDIENCE, { signal: leaver.signal }));
    leaver.abort();
    await left;
  };
  await hurried();
  const release = await gate.next();
  for (let i = 0; i < 5; i++) await hurried();
  const last = source.fetchIdToken(AUDIENCE);
  release();
  assertDefault(await last);
  assert.equal(gate.arrived, 1);
});

test('when every caller has left, the flight goes on, and its token is there', async (t) => {
  const gate = await gatedMetadataServer(t);
  const source = new GatePass();
  const leaver = new AbortController();
  const left = assert.rejects(source.fetchIdToken(AUDIENCE, { signal: leaver.signal }));
  const release = await gate.next();
  leaver.abort();
  await left;
  release();
  assertDefault(await source.fetchIdToken(AUDIENCE));
  assert.equal(gate.arrived, 1);
});

test('a caller that leaves while it waits affects nobody', async (t) => {
  const gate = await gatedMetadataServer(t);
  const source = new GatePass();
  const fetching = source.fetchIdToken(AUDIENCE);
  const release = await gate.next();
  const leaver = new AbortController();
  const left = assert.rejects(source.fetchIdToken(AUDIENCE, { signal: leaver.signal }), {
    name: 'AbortError',
  });
  leaver.abort();
  await left;
  release();
  assertDefault(await fetching);
  assert.equal(gate.arrived, 1);
});

test('a caller that has left before it asks starts nothing', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(new GatePass().fetchIdToken(AUDIENCE, { signal }), { name: 'AbortError' });
  assert.deepEqual(await emulator.counts(), {});
});

test('a stale token is served at once and refreshed in the background', async (t) => {
  const gate = await gatedMetadataServer(t);
  let now = Date.now();
  const source = new GatePass({ clock: () => now });
  const fetching = source.fetchIdToken(AUDIENCE);
  (await gate.next())();
  const token = await fetching;

  // Not fresh any more, and still valid: the gate is shut, so whoever waited for the refresh would hang.
  now = claimsOf(token).exp * 1000 - 60_000;
  assert.equal(await source.fetchIdToken(AUDIENCE), token);
  assert.equal(await source.fetchIdToken(AUDIENCE), token);
  (await gate.next())();
  assert.equal(gate.arrived, 2);
});

test('a clock that is set back makes no token last longer', async (t) => {
  let [now, monotonic] = [Date.now(), 1_000];
  t.mock.method(host, 'monotonic', () => monotonic);
  const source = new GatePass({ clock: () => now });
  const token = await source.fetchIdToken(AUDIENCE);
  now -= 36_000_000;
  assert.equal(await source.fetchIdToken(AUDIENCE), token);
  monotonic += 3_600_000;
  await emulator.rotateKeys();
  // Its own time has not come by this clock, but it is not the old one that is handed out.
  const outcome = await source.fetchIdToken(AUDIENCE).catch(({ code }) => code);
  assert.notEqual(outcome, token);
  assert.equal((await emulator.counts())[IDENTITY] > 1, true);
});

test('a machine that was suspended, by its clock alone', async (t) => {
  let now = Date.now();
  t.mock.method(host, 'monotonic', () => 1_000);
  const source = new GatePass({ clock: () => now });
  await source.fetchIdToken(AUDIENCE);
  now += 3_600_000;
  await source.fetchIdToken(AUDIENCE).catch(() => {});
  assert.equal((await emulator.counts())[IDENTITY] > 1, true);
});

test('a refresh that fails in the background fails nobody', async (t) => {
  const gate = await gatedMetadataServer(t);
  let now = Date.now();
  const source = new GatePass({ clock: () => now });
  const fetching = source.fetchIdToken(AUDIENCE);
  (await gate.next())();
  const token = await fetching;

  await emulator.fault({ path: IDENTITY, status: 404 });
  now = claimsOf(token).exp * 1000 - 60_000;
  assert.equal(await source.fetchIdToken(AUDIENCE), token);
  await (
    await gate.next()
  )();
  assert.equal(await source.fetchIdToken(AUDIENCE), token);
});

test('a credential file that is of no use is named, with what to do, and never shown', async (t) => {
  const folder = temporaryFolder(t);
  const key = await emulator.keyFile('--email', CALLER);
  const files = [
    { name: 'not-json', text: 'hush', code: 'CREDENTIALS_FILE_INVALID', says: /JSON/ },
    {
      name: 'type',
      text: '{"type":"hash","private_key":"hush"}',
      code: 'CREDENTIALS_TYPE_UNKNOWN',
      says: /hash/,
    },
    {
      name: 'field',
      text: JSON.stringify({ ...key, client_email: undefined, private_key: 'hush' }),
      code: 'CREDENTIALS_FILE_INVALID',
      says: /client_email/,
    },
  ];
  for (const { name, text, code, says } of files) {
    const keyFilename = join(folder, name);
    writeFileSync(keyFilename, text);
    const error = await rejection(new GatePass({ keyFilename }).fetchIdToken(AUDIENCE));
    assert.ok(error instanceof CredentialsError);
    assert.equal(error.code, code);
    assert.match(error.message, says);
    assert.ok(error.message.includes(keyFilename), error.message);
    assert.ok(!error.message.includes('hush'), error.message);
  }
});

test('a credential file that cannot be read', async (t) => {
  const folder = temporaryFolder(t);
  const plain = join(folder, 'plain');
  writeFileSync(plain, '');
  const files = [
    [join(folder, 'missing'), /does not exist/],
    [join(plain, 'below-a-file'), /does not exist/],
    [folder, /cannot be read/],
    ['/dev/zero', /larger than 1 MiB/],
  ];
  for (const [keyFilename, says] of files) {
    const error = await rejection(new GatePass({ keyFilename }).fetchIdToken(AUDIENCE));
    assert.equal(error.code, 'CREDENTIALS_FILE_UNREADABLE');
    assert.match(error.message, says);
    assert.ok(error.message.includes(keyFilename), error.message);
  }
});

test('no credentials at all: one error that says what was tried', async () => {
  setEnvironment({ METADATA_SERVER_DETECTION: 'none' });
  const error = await rejection(new GatePass().fetchIdToken(AUDIENCE));
  assert.ok(error instanceof CredentialsError);
  assert.equal(error.code, 'CREDENTIALS_NOT_FOUND');
  for (const tried of [
    'GOOGLE_APPLICATION_CREDENTIALS',
    '/nonexistent/.config/gcloud',
    'METADATA_SERVER_DETECTION',
  ]) {
    assert.ok(error.message.includes(tried), error.message);
  }
});

test('the metadata server is away', async () => {
  // Port 1 of the loopback interface: nobody listens there.
  setEnvironment({ GCE_METADATA_HOST: '127.0.0.1:1' });
  const error = await rejection(new GatePass().fetchIdToken(AUDIENCE));
  assert.ok(error instanceof TransportError);
  assert.deepEqual([error.code, error.retryable], ['CONNECTION_FAILED', true]);
  assert.match(error.message, /the connection to 127\.0\.0\.1:1 was refused/);
});

test('a token endpoint that answers nonsense: a clear error, and the next call works', async (t) => {
  let asked = 0;
  const elsewhere = await serve(t, (_req, res) => {
    asked += 1;
    res.end();
  });
  const answers = [
    { status: 200, body: '<html>sign in, please</html>', code: 'TOKEN_RESPONSE_INVALID' },
    { status: 200, body: '[]', code: 'TOKEN_RESPONSE_INVALID' },
    { status: 200, body_bytes: 10 << 20, code: 'RESPONSE_TOO_LARGE' },
    { status: 307, headers: { Location: elsewhere }, code: 'REDIRECT_REFUSED' },
    { status: 403, body: { error: 'unauthorized_client' }, code: 'TOKEN_REFUSED' },
  ];
  for (const { code, ...fault } of answers) {
    const source = new GatePass({ credentials: await emulator.keyFile('--email', CALLER) });
    await emulator.fault({ path: '/token', ...fault });
    const error = await rejection(source.fetchIdToken(AUDIENCE));
    assert.ok(error instanceof GatepassError);
    assert.equal(error.code, code);
    assertCaller(await source.fetchIdToken(AUDIENCE));
  }
  assert.equal(asked, 0);
});

test('a token endpoint that falters is asked again', async () => {
  const faults = [
    { status: 200, body: '' },
    { status: 503, headers: { 'Retry-After': '0' } },
    { drop: true },
  ];
  for (const fault of faults) await emulator.fault({ path: '/token', ...fault });
  assertCaller(
    await new GatePass({ credentials: await emulator.keyFile('--email', CALLER) }).fetchIdToken(AUDIENCE),
  );
  assert.deepEqual(await emulator.counts(), { '/token': 4 });
});

test('what makes no sense is refused in gatepass’s own words', async () => {
  const source = new GatePass();
  for (const audience of ['', ' a', 'a\r\nb']) {
    await assert.rejects(source.fetchIdToken(audience), { name: 'GatepassError', code: 'INVALID_AUDIENCE' });
  }
  await assert.rejects(source.fetchAccessToken('a"b'), { name: 'GatepassError', code: 'INVALID_OPTION' });
  assert.throws(() => new GatePass({ keyFile: 'a' }), {
    name: 'GatepassError',
    code: 'INVALID_OPTION',
    message: /no option "keyFile"; it has keyFilename/,
  });
  assert.throws(() => new GatePass({ keyFilename: 'a', credentials: {} }), { code: 'INVALID_OPTION' });
  assert.deepEqual(await emulator.counts(), {});
});

async function gatedMetadataServer(t) {
  const gate = await gateTo(t, emulator.url);
  setEnvironment({ ...emulator.environment, GCE_METADATA_HOST: new URL(gate.url).host });
  return gate;
}

async function keyFile(t) {
  const path = join(temporaryFolder(t), 'key.json');
  writeFileSync(path, JSON.stringify(await emulator.keyFile('--email', CALLER)));
  return path;
}

function assertDefault(token) {
  assert.equal(claimsOf(token).email, EMAIL);
}

function assertCaller(token) {
  const { aud, email } = claimsOf(token);
  assert.deepEqual({ aud, email }, { aud: AUDIENCE, email: 'caller@emulator.iam.gserviceaccount.com' });
}

function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
}

async function rejection(promise) {
  return await promise.then(
    () => assert.fail('expected a rejection'),
    (error) => error,
  );
}
