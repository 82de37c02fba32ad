/** google-auth-library, unmodified, and gatepass: each verifies what the other has fetched from the emulator. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { GatePass, Verifier } from 'gatepass';
import { GoogleAuth, OAuth2Client } from 'google-auth-library';

import { EMAIL, setEnvironment, startEmulator } from '../../../packages/node/test/support/emulator.js';

const AUDIENCE = 'https://receiver.example';
const CALLER = 'caller@emulator.iam.gserviceaccount.com';

let emulator;
before(async () => {
  emulator = await startEmulator();
  setEnvironment(emulator.environment);
});
after(() => emulator?.stop());

test('gatepass verifies a token that google-auth-library has from the metadata server', async () => {
  const { email, aud } = await verifier().verify(await fetchedByGoogle(new GoogleAuth()));
  assert.deepEqual([email, aud], [EMAIL, AUDIENCE]);
});

test('gatepass verifies a token that google-auth-library has with a key file', async () => {
  // The library ignores the file's token_uri and posts to Google, so its own option leads it to the emulator.
  const redirected = [];
  const fetchImplementation = async (url, init) => {
    redirected.push(String(url));
    return await fetch(`${emulator.url}${new URL(url).pathname}`, init);
  };
  const clientOptions = { transporterOptions: { fetchImplementation } };
  const auth = new GoogleAuth({ credentials: await emulator.key(CALLER), clientOptions });
  const { email, aud } = await verifier().verify(await fetchedByGoogle(auth));
  assert.deepEqual([email, aud], [CALLER, AUDIENCE]);
  assert.deepEqual(redirected, ['https://oauth2.googleapis.com/token']);
});

test('google-auth-library verifies a token that gatepass has from the metadata server', async () => {
  assert.equal((await verifiedByGoogle(await new GatePass().fetchIdToken(AUDIENCE))).email, EMAIL);
});

test('google-auth-library verifies a token that gatepass has with a key file', async () => {
  const gatepass = new GatePass({ credentials: await emulator.key(CALLER) });
  assert.equal((await verifiedByGoogle(await gatepass.fetchIdToken(AUDIENCE))).email, CALLER);
});

test('both clients make the same request', async () => {
  const receiver = `${emulator.url}/oauth2/v3/certs`;
  const [google, ours] = [
    await (await new GoogleAuth().getIdTokenClient(AUDIENCE)).request({ url: receiver }),
    await (await new GatePass().getIdTokenClient(AUDIENCE)).request({ url: receiver }),
  ];
  assert.equal(ours.status, google.status);
  assert.deepEqual(ours.data, google.data);
  assert.equal(ours.headers.get('content-type'), google.headers.get('content-type'));

  const absent = { url: `${emulator.url}/absent` };
  for (const auth of [new GoogleAuth(), new GatePass()]) {
    const client = await auth.getIdTokenClient(AUDIENCE);
    assert.match((await client.getRequestHeaders()).get('authorization'), /^Bearer ey/);
    await assert.rejects(
      client.request(absent),
      (error) => error.status === 404 && error.response.status === 404,
    );
  }
});

function verifier() {
  return new Verifier({ audience: AUDIENCE, keysUrl: emulator.keysUrl });
}

async function fetchedByGoogle(auth) {
  return await (await auth.getIdTokenClient(AUDIENCE)).idTokenProvider.fetchIdToken(AUDIENCE);
}

async function verifiedByGoogle(idToken) {
  const endpoints = { oauth2FederatedSignonPemCertsUrl: `${emulator.url}/oauth2/v1/certs` };
  const ticket = await new OAuth2Client({ endpoints }).verifyIdToken({ idToken, audience: AUDIENCE });
  return ticket.getPayload();
}
