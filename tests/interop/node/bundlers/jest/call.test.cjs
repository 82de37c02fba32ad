const { GatePass, GatepassError, Verifier } = require('gatepass');
const { requireIdToken } = require('gatepass/grpc');
const { Emulator } = require('gatepass/testing');

const audience = 'https://receiver.example';
let emulator;

beforeAll(async () => {
  emulator = await Emulator.start();
});
afterAll(() => emulator.stop());

test('a call', async () => {
  const restore = emulator.useEnvironment();
  const verifier = new Verifier({ audience, keysUrl: emulator.keysUrl });
  expect((await verifier.verify(await new GatePass().fetchIdToken(audience))).aud).toBe(audience);
  const refused = verifier.verify('a.b.c');
  await expect(refused).rejects.toBeInstanceOf(GatepassError);
  await expect(refused).rejects.toBeInstanceOf(Error);
  expect(() => new GatePass(null)).toThrow(TypeError);
  const client = await new GatePass().getIdTokenClient(audience);
  const { status } = await client.request({ url: emulator.keysUrl });
  expect(status).toBe(200);
  expect(() => requireIdToken({})).toThrow(GatepassError);
  restore();
});
