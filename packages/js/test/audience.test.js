/** Audiences: of receivers, and of this service. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { Verifier, audienceForUrl, fetchIdToken, ownAudiences, sameAudienceSpellings } from 'gatepass';

import { EMAIL, setEnvironment, startEmulator } from './support/emulator.js';
import { gateTo } from './support/servers.js';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());
beforeEach(() => setEnvironment(emulator.environment));

test('the audience follows from the URL as the HTTP client reads it', () => {
  assert.equal(audienceForUrl('https://tag---svc-abc-uc.a.run.app:443/p?q'), 'https://svc-abc-uc.a.run.app');
  assert.equal(audienceForUrl(new URL('https://svc-abc-uc.a.run.app')), 'https://svc-abc-uc.a.run.app');
  assert.equal(audienceForUrl('https://evil.example\\@svc-abc-uc.a.run.app/'), 'https://evil.example');
  assert.equal(audienceForUrl('ht\ntps://évil.example'), 'https://xn--vil-9la.example');
  for (const url of ['', 'svc.run.app', 'http://svc.run.app', 'ftp://a']) {
    assert.throws(() => audienceForUrl(url), { name: 'GatepassError', code: 'INVALID_AUDIENCE' });
  }
});

test('a URL that is its own audience has two spellings, anything else has one', () => {
  const both = ['https://a.run.app', 'https://a.run.app/'];
  for (const audience of both) assert.deepEqual(sameAudienceSpellings(audience), both);
  for (const audience of ['https://a.run.app/path', '/projects/1/apps/a', '']) {
    assert.deepEqual(sameAudienceSpellings(audience), [audience]);
  }
});

test('a Cloud Run service knows its own audiences', async () => {
  process.env.K_SERVICE = 'receiver';
  const audience = await ownAudiences();
  assert.equal(audience.length, 2);
  assert.match(audience[0], /^https:\/\/receiver-\d+\.us-central1\.run\.app$/);
  const verifier = new Verifier({
    preset: 'cloud_run',
    audience,
    allowedEmails: EMAIL,
    keysUrl: emulator.keysUrl,
  });
  assert.equal((await verifier.verify(await fetchIdToken(audience[1]))).aud, audience[1]);
});

test('what is no Cloud Run service has none', async () => {
  await assert.rejects(ownAudiences(), {
    name: 'GatepassError',
    code: 'INVALID_AUDIENCE',
    message: /K_SERVICE/,
  });
});

test('a caller may leave while its own audiences are asked for', async (t) => {
  const gate = await gateTo(t, emulator.url);
  setEnvironment({ GCE_METADATA_HOST: new URL(gate.url).host, K_SERVICE: 'receiver' });
  const leaver = new AbortController();
  const left = assert.rejects(ownAudiences({ signal: leaver.signal }), { name: 'AbortError' });
  await gate.next();
  leaver.abort();
  await left;
});
