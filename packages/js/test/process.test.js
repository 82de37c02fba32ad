/** The step that runs a program, with real programs. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { temporaryFolder } from './support/emulator.js';
import { assertFails, replyTo, running } from './support/steps.js';

const LIMIT = 1024 * 1024;

test('a program’s status and what it writes are handed over', async () => {
  const shell = (script) => running(['/bin/sh', '-c', script]);
  for (const [script, status, stdout, stderr = ''] of [
    ['printf ü; echo why >&2', 0, 'ü', 'why\n'],
    ['printf "a\\377"; exit 7', 7, 'a\ufffd'],
    ['kill -TERM $$', 143, ''],
  ]) {
    assert.deepEqual(await replyTo(shell(script)), { reply: 'exited', status, stdout, stderr });
  }
});

test('no shell reads the arguments, and there is nothing on standard input', async () => {
  const { stdout } = await replyTo(running(['/bin/echo', '$HOME', '; ls', '*']));
  assert.equal(stdout, '$HOME ; ls *\n');
  assert.deepEqual(await replyTo(running(['/bin/cat'])), {
    reply: 'exited',
    status: 0,
    stdout: '',
    stderr: '',
  });
});

test('the environment is this process’s own and what the step adds', async () => {
  process.env.GATEPASS_TEST_OWN = 'own';
  process.env.GATEPASS_TEST_BOTH = 'own';
  const env = [
    ['GATEPASS_TEST_ADDED', 'added'],
    ['GATEPASS_TEST_BOTH', 'added'],
  ];
  const script = 'echo $GATEPASS_TEST_OWN $GATEPASS_TEST_ADDED $GATEPASS_TEST_BOTH';
  const { stdout } = await replyTo(running(['/bin/sh', '-c', script], { env }));
  assert.equal(stdout, 'own added added\n');
});

test('why a program is not run', async (t) => {
  const folder = temporaryFolder(t);
  const plain = join(folder, 'plain');
  writeFileSync(plain, '#!/bin/sh\n');
  chmodSync(plain, 0o600);
  await assertFails(running([join(folder, 'missing')]), 'not_found');
  await assertFails(running(['gatepass-test-no-such-program']), 'not_found');
  await assertFails(running([join(plain, 'below')]), 'not_found');
  await assertFails(running([plain]), 'permission_denied');
  await assertFails(running([folder]), 'permission_denied');
});

test('a program that writes more than the limit is ended', async () => {
  const writing = (bytes) => running(['/usr/bin/head', '-c', String(bytes), '/dev/zero']);
  assert.equal((await replyTo(writing(LIMIT))).stdout.length, LIMIT);
  await assertFails(writing(LIMIT + 1), 'too_large');
  await assertFails(running(['/bin/cat', '/dev/zero']), 'too_large');
});

test('of what a program complains, the beginning is handed over, and it can go on', async () => {
  const script = 'head -c 300000 /dev/zero | tr "\\0" x >&2; echo done';
  const { stdout, stderr } = await replyTo(running(['/bin/sh', '-c', script]));
  assert.deepEqual([stdout, stderr], ['done\n', 'x'.repeat(65_536)]);
});

test('what holds a pipe although the program has ended, ends when the time is up', async (t) => {
  const family = await prepareFamily(t, { isOrphan: true });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const failing = assertFails(running(family.argv, { timeout_ms: 30_000 }), 'timeout');
  await family.begun;
  t.mock.timers.tick(30_000);
  await failing;
  await family.ended;
});

test('when the time is up, the program and what it has started are ended', async (t) => {
  const family = await prepareFamily(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const failing = assertFails(running(family.argv, { timeout_ms: 30_000 }), 'timeout');
  await family.begun;
  t.mock.timers.tick(30_000);
  assert.equal((await failing).message, 'not finished within 30000 ms');
  await family.ended;
});

test('when the caller leaves, the same', async (t) => {
  const family = await prepareFamily(t);
  const leaver = new AbortController();
  const left = assert.rejects(replyTo(running(family.argv), { signal: leaver.signal }), {
    name: 'AbortError',
  });
  await family.begun;
  leaver.abort();
  await left;
  await family.ended;
});

test('a program that has ended while what it started still writes is waited for', async () => {
  const { status, stdout } = await replyTo(running(['/bin/sh', '-c', '(sleep 0.05; echo late) & exit 3']));
  assert.deepEqual([status, stdout], [3, 'late\n']);
});

/**
 * A program that starts another one and waits for it, or does not. The child holds a connection to this process as long as it
 * lives: `begun` when it is there, `ended` when it is gone.
 */
async function prepareFamily(t, { isOrphan = false } = {}) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const child = `require('node:net').connect(${server.address().port}, '127.0.0.1')`;
  const args = `process.execPath, ['-e', ${JSON.stringify(child)}]`;
  const start = isOrphan ? `spawn(${args}, { stdio: 'inherit' }).unref()` : `spawnSync(${args})`;
  const parent = `require('node:child_process').${start}`;
  const begun = once(server, 'connection');
  const ended = begun.then(async ([socket]) => {
    socket.on('error', () => {}).resume();
    await once(socket, 'close');
  });
  return { argv: [process.execPath, '-e', parent], begun, ended };
}
