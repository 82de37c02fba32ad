/** However an object is printed, it shows no token and no key. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';

import { GatePass, Verifier } from 'gatepass';

import { CALLER, setEnvironment, startEmulator } from './support/emulator.js';
import { shownBy } from './support/secrets.js';

const AUDIENCE = 'https://receiver.example';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());

test('no object shows a token or a key', async () => {
  setEnvironment(emulator.environment);
  const credentials = await emulator.keyFile('--email', CALLER);
  const gatepass = new GatePass({ credentials });
  const token = await gatepass.fetchIdToken(AUDIENCE);
  const client = await gatepass.getIdTokenClient(AUDIENCE);
  const verifier = new Verifier({ audience: AUDIENCE, keysUrl: emulator.keysUrl });
  await verifier.verify(token);
  const refused = await new Verifier({ audience: 'https://other.example', keysUrl: emulator.keysUrl })
    .verify(token)
    .catch((error) => error);
  const response = await client.request({ url: `${emulator.url}/nothing` }).catch((error) => error);
  const secrets = [...token.split('.'), credentials.private_key.split('\n')[1]];
  for (const object of [gatepass, client, verifier, refused, response]) {
    const shown = shownBy(object);
    for (const secret of secrets) assert.ok(!shown.includes(secret), shown);
  }
});

test('an error prints as what it is', async () => {
  setEnvironment({ METADATA_SERVER_DETECTION: 'none' });
  const error = await new GatePass().fetchIdToken(AUDIENCE).catch((error) => error);
  assert.match(inspect(error), /^CredentialsError: no credentials were found/);
  assert.match(inspect(error), /code: 'CREDENTIALS_NOT_FOUND'/);
  assert.ok(!inspect(error).includes('refusal'));
  assert.equal(inspect(new GatePass()), 'GatePass {}');
});
