/** Explaining a token. What there is to say is the core's; that it arrives, and shows no token, is tested here. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';

import { Verifier, explain } from 'gatepass';

import { EMAIL, startEmulator } from './support/emulator.js';
import { secretsIn, shownBy } from './support/secrets.js';

const URL_CALLED = 'https://receiver-abc-uc.a.run.app/path';
const AUDIENCE = 'https://receiver-abc-uc.a.run.app';

let emulator;
let keys;
before(async () => {
  emulator = await startEmulator();
  keys = await (await fetch(emulator.keysUrl)).json();
});
after(() => emulator?.stop());

test('a good token: what it is and what it claims', async () => {
  const token = await emulator.mint({
    claims: { aud: AUDIENCE, email: EMAIL },
    issued_at: 1_000,
    lifetime: 60,
  });
  const explanation = explain(token, { url: new URL(URL_CALLED), keys, clock: () => 1_030_000 });
  assert.deepEqual(
    [explanation.accepted, explanation.kind, explanation.claims],
    [
      true,
      'google_id_token',
      { iss: 'https://accounts.google.com', aud: [AUDIENCE], email: EMAIL, iat: 1_000, exp: 1_060 },
    ],
  );
});

test('all that is wrong at once, and what to do', async () => {
  const token = await emulator.mint({ claims: { aud: URL_CALLED }, issued_at: 1_000, lifetime: 60 });
  const explanation = explain(`Bearer ${token}`, { url: URL_CALLED, header: 'Authorization', keys });
  assert.equal(explanation.accepted, false);
  const codes = explanation.findings.map(({ code }) => code);
  for (const code of ['BAD_AUDIENCE', 'TOKEN_EXPIRED']) assert.ok(codes.includes(code), codes.join());
  for (const { level, title, found, todo } of explanation.findings) {
    assert.ok(['error', 'warning', 'note'].includes(level));
    for (const words of [title, found, todo]) assert.equal(typeof words, 'string');
  }
});

test('without the keys it is not known whether it is accepted', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE } });
  assert.equal(explain(token, { audience: AUDIENCE }).accepted, null);
});

test('a verifier explains by its own rules, with the keys that it holds', async () => {
  const verifier = new Verifier({
    audience: AUDIENCE,
    allowedEmails: 'a@b.example',
    keysUrl: emulator.keysUrl,
  });
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } });
  await verifier.verify(token).catch(() => {});
  const explanation = verifier.explain(token, { url: URL_CALLED });
  assert.equal(explanation.accepted, false);
  assert.ok(explanation.findings.some(({ code }) => code === 'EMAIL_NOT_ALLOWED'));
});

test('printed it is its text, which shows no token', async () => {
  const token = await emulator.mint({ claims: { aud: AUDIENCE, email: EMAIL } });
  for (const secret of [
    token,
    `Bearer ${token}`,
    'ya29.a-secret-access-token',
    '{"private_key": "hush-hush-hush-hush"}',
  ]) {
    const explanation = explain(secret, { url: URL_CALLED, keys });
    assert.equal(inspect(explanation), explanation.text);
    assert.equal(`${explanation}`, explanation.text);
    const shown = shownBy(explanation);
    for (const part of secret.split('.').flatMap(secretsIn)) assert.ok(!shown.includes(part), shown);
  }
});

test('whatever is no token is explained as such', () => {
  for (const token of ['', 'é', '\ud800', 'a.b.c']) {
    assert.equal(explain(token).accepted, false);
  }
});

test('an option that is misspelt, or a URL from which no audience can be derived', () => {
  const verifier = new Verifier({ audience: AUDIENCE });
  assert.throws(() => explain('a.b.c', { ulr: URL_CALLED }), { code: 'INVALID_OPTION', message: /"ulr"/ });
  assert.throws(() => verifier.explain('a.b.c', { audience: AUDIENCE }), { code: 'INVALID_OPTION' });
  assert.throws(() => explain('a.b.c', { url: 'ftp://a' }), { code: 'INVALID_AUDIENCE' });
});
