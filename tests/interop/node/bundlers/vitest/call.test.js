import { Verifier, fetchIdToken } from 'gatepass';
import { Emulator } from 'gatepass/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const audience = 'https://receiver.example';
let emulator;

beforeAll(async () => {
  emulator = await Emulator.start();
});
afterAll(() => emulator.stop());

test('a call', async () => {
  const restore = emulator.useEnvironment();
  const verifier = new Verifier({ audience, keysUrl: emulator.keysUrl });
  expect((await verifier.verify(await fetchIdToken(audience))).aud).toBe(audience);
  restore();
});
