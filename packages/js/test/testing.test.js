/** `gatepass/testing`: the emulator for tests of users. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { GatePass, Verifier, explain, fetchIdToken, verifyIdToken } from 'gatepass';
import { Emulator } from 'gatepass/testing';

import { setEnvironment, temporaryFolder } from './support/emulator.js';

const AUDIENCE = 'https://receiver.example';
const EMAIL = 'caller@shop.iam.gserviceaccount.com';

let emulator;
before(async () => (emulator = await Emulator.start()));
after(() => emulator?.stop());
beforeEach(() => emulator.reset());

test('a token as ordered, and the URL of the keys for it', async () => {
  const verifier = new Verifier({ audience: AUDIENCE, keysUrl: emulator.keysUrl });
  const claims = await verifier.verify(await emulator.mint({ audience: AUDIENCE, email: EMAIL }));
  assert.deepEqual([claims.aud, claims.email], [AUDIENCE, EMAIL]);
  const bad = [
    ['TOKEN_EXPIRED', { issuedAt: 1_000_000_000 }],
    ['SIGNATURE_STRIPPED', { stripSignature: true }],
    ['MISSING_CLAIM', { omit: ['sub'] }],
    ['BAD_ISSUER', { claims: { iss: 'https://evil.example' } }],
  ];
  for (const [code, order] of bad) {
    await assert.rejects(verifier.verify(await emulator.mint({ audience: AUDIENCE, ...order })), { code });
  }
  const audience = '/projects/1/global/backendServices/2';
  const iap = new Verifier({ preset: 'iap', audience, keysUrl: emulator.iapKeysUrl });
  assert.equal((await iap.verify(await emulator.mint({ audience, key: 'iap' }))).aud, audience);
});

test('its environment, while a test wants it', async () => {
  setEnvironment({ METADATA_SERVER_DETECTION: 'none' });
  await assert.rejects(fetchIdToken(AUDIENCE), { code: 'CREDENTIALS_NOT_FOUND' });
  const restore = emulator.useEnvironment();
  const token = await fetchIdToken(AUDIENCE);
  assert.equal(process.env.GCE_METADATA_HOST, new URL(emulator.url).host);
  restore();
  assert.equal(process.env.GCE_METADATA_HOST, undefined);
  assert.equal(process.env.METADATA_SERVER_DETECTION, 'none');
  await assert.rejects(fetchIdToken(AUDIENCE), { code: 'CREDENTIALS_NOT_FOUND' });
  await assert.rejects(verifyIdToken(`${token}x`, { audience: AUDIENCE }), { name: 'VerifyError' });
});

test('a receiver that trusts it, and a warning that it does', async (t) => {
  const restore = emulator.useEnvironment();
  t.after(restore);
  const warned = once(process, 'warning');
  const verifier = new Verifier({ audience: AUDIENCE });
  const [warning] = await warned;
  assert.equal(warning.name, 'GatepassWarning');
  assert.match(warning.message, /GATEPASS_DANGEROUSLY_TRUST_EMULATOR/);
  assert.equal((await verifier.verify(await emulator.mint({ audience: AUDIENCE }))).aud, AUDIENCE);
});

test('its clock, its keys and its faults', async (t) => {
  t.after(emulator.useEnvironment());
  await emulator.setClock(-7200);
  assert.equal(explain(await emulator.mint({ audience: AUDIENCE })).findings[0].code, 'TOKEN_EXPIRED');
  await emulator.setClock(0);
  const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
  const before = kidOf(await emulator.mint({ audience: AUDIENCE }));
  await emulator.rotateKeys();
  assert.notEqual(kidOf(await emulator.mint({ audience: AUDIENCE })), before);

  const credentials = await emulator.keyFile('--email', EMAIL);
  await emulator.fault({ path: '/token', status: 403, body: { error: 'unauthorized_client' } });
  const source = new GatePass({ credentials });
  await assert.rejects(source.fetchIdToken(AUDIENCE), { code: 'TOKEN_REFUSED' });
  assert.deepEqual(await emulator.counts(), { '/token': 1 });
  await emulator.reset();
  assert.deepEqual(await emulator.counts(), {});
});

test('one that runs already', async () => {
  const same = await Emulator.at(`${emulator.url}/`);
  assert.equal(same.keysUrl, emulator.keysUrl);
  await same.stop();
  assert.match(await emulator.mint({ audience: AUDIENCE }), /^eyJ/);
});

test('what cannot be: a plain error', async (t) => {
  await assert.rejects(emulator.mint(), /answers 400 to POST \/emulator\/v1\/mint: .*aud/s);
  await assert.rejects(emulator.keyFile('--type', 'none'), /gatepass emulator key: /);
  await assert.rejects(Emulator.start({ programm: 'a' }), { code: 'INVALID_OPTION' });
  await assert.rejects(Emulator.start({ program: '/nonexistent/gatepass' }), { code: 'ENOENT' });
  await assert.rejects(Emulator.start({ arguments: ['--port', 'none'] }), /ended before it listened/);
  const { GATEPASS_PROGRAM, PATH } = process.env;
  t.after(() => Object.assign(process.env, { GATEPASS_PROGRAM, PATH }));
  delete process.env.GATEPASS_PROGRAM;
  process.env.PATH = temporaryFolder(t);
  await assert.rejects(Emulator.start(), /no program `gatepass` on PATH/);
  writeFileSync(join(process.env.PATH, 'gatepass'), '#!/bin/sh\nexit 3\n');
  chmodSync(join(process.env.PATH, 'gatepass'), 0o755);
  await assert.rejects(Emulator.start(), /ended before it listened/);
});

test('it ends with the process, which need not stop it', async () => {
  const program = `
    import { Emulator } from 'gatepass/testing';
    const { url } = await Emulator.start();
    console.log(url);`;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  // It ends a moment after the process.
  let requests = 0;
  while (await answers(stdout.trim())) assert.ok((requests += 1) < 10_000, 'it goes on');
});

async function answers(url) {
  return await fetch(url).then(
    async (response) => (await response.text(), true),
    () => false,
  );
}
