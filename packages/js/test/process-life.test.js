/** What nobody awaits keeps no process alive; what somebody awaits does. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { temporaryFolder } from './support/emulator.js';
import { serve } from './support/servers.js';

const BEGIN = `
  import { GatePass, Verifier } from 'gatepass';
  const audience = 'https://receiver.example';
  const log = (name) => () => console.log(name);
  const leave = () => ({ signal: AbortSignal.timeout(20) });`;

test('a fetch that every caller has left does not keep the process', async (t) => {
  const server = await silent(t);
  const output = await run(
    `${BEGIN}
    await new GatePass().fetchIdToken(audience, leave()).catch(log('left'));`,
    { GCE_METADATA_HOST: new URL(server.url).host },
  );
  assert.deepEqual(output, { stdout: 'left\n', status: 0 });
  assert.ok(server.asked > 0);
});

test('a fetch of keys that every caller has left does not either', async (t) => {
  const server = await silent(t);
  const token = `${encoded({ alg: 'RS256', kid: 'a' })}.${encoded({ iss: 'https://accounts.google.com' })}.${'a'.repeat(342)}`;
  const output = await run(
    `${BEGIN}
    const verifier = new Verifier({ audience, keysUrl: '${server.url}/keys' });
    await verifier.verify('${token}', leave()).catch(log('left'));`,
  );
  assert.deepEqual(output, { stdout: 'left\n', status: 0 });
  assert.equal(server.asked, 1);
});

test('nor does a program that runs for nobody, which ends with the process', async (t) => {
  const server = await silent(t);
  const program = join(temporaryFolder(t), 'program.mjs');
  writeFileSync(program, `fetch('${server.url}').catch(() => {}); setInterval(() => {}, 1000);`);
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/own',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    credential_source: { executable: { command: `${process.execPath} ${program}`, timeout_millis: 30_000 } },
  };
  // It is left when the program has been started, which the server sees.
  const output = await run(
    `${BEGIN}
    const controller = new AbortController();
    const fetching = new GatePass({ credentials: ${JSON.stringify(credentials)} }).fetchAccessToken('a', controller);
    process.stdin.once('data', () => {
      controller.abort();
      process.stdin.destroy();
    });
    await fetching.catch(log('left'));`,
    { GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: '1' },
    server.begun,
  );
  assert.deepEqual(output, { stdout: 'left\n', status: 0 });
  await server.ended;
});

test('a process lives as long as somebody awaits something', async (t) => {
  const server = await silent(t, 100);
  const output = await run(
    `${BEGIN}
    const source = new GatePass();
    source.fetchIdToken(audience, leave()).catch(log('left'));
    source.fetchIdToken(audience).catch(({ code }) => console.log(code));`,
    { GCE_METADATA_HOST: new URL(server.url).host },
  );
  assert.deepEqual(output, { stdout: 'left\nTOKEN_REFUSED\n', status: 0 });
});

/** A server that answers nothing, or 403 after a while. */
async function silent(t, delay) {
  const server = { asked: 0 };
  let begin;
  let end;
  server.begun = new Promise((resolve) => (begin = resolve));
  server.ended = new Promise((resolve) => (end = resolve));
  server.url = await serve(t, (_req, res) => {
    server.asked += 1;
    begin();
    res.on('close', end);
    if (delay !== undefined) setTimeout(() => res.writeHead(403).end(), delay);
  });
  return server;
}

/** What a program prints, and how it ends; a program that hangs is ended by the test's own limit. */
async function run(program, environment, go) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  go?.then(() => child.stdin.write('go'));
  const ended = once(child, 'exit');
  const stdout = Buffer.concat(await child.stdout.toArray()).toString();
  return { stdout, status: (await ended)[0] };
}

function encoded(part) {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
