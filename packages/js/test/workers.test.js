/** The add-on in several worker threads at once, each with its own source and verifier. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';

import { EMAIL, setEnvironment, startEmulator } from './support/emulator.js';
import { gateTo } from './support/servers.js';

const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());

test('worker threads have sources of their own', async () => {
  setEnvironment(emulator.environment);
  const workers = Array.from({ length: 4 }, (_, i) => start(`https://${i}.example`));
  const messages = workers.map((worker) => once(worker, 'message'));
  const exits = workers.map((worker) => once(worker, 'exit'));
  assert.deepEqual(await Promise.all(messages), Array(4).fill([EMAIL]));
  assert.deepEqual(await Promise.all(exits), Array(4).fill([0]));
  assert.equal((await emulator.counts())[IDENTITY], 4);
});

test('a worker that is ended while it fetches takes nothing with it', async (t) => {
  const gate = await gateTo(t, emulator.url);
  setEnvironment({ ...emulator.environment, GCE_METADATA_HOST: new URL(gate.url).host });
  const worker = start('https://ended.example');
  await gate.next();
  assert.equal(await worker.terminate(), 1);
  const next = start('https://next.example');
  const message = once(next, 'message');
  (await gate.next())();
  assert.deepEqual(await message, [EMAIL]);
});

function start(audience) {
  return new Worker(new URL('support/worker.js', import.meta.url), {
    workerData: { audience, keysUrl: emulator.keysUrl },
  });
}
