/** The programs in `examples` run. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
import { claimsOf, insecureIdTokenInterceptor, requireIdToken } from 'gatepass/grpc';
import { Emulator } from 'gatepass/testing';

import { Bookstore } from '../examples/grpc/stubs.js';
import { makeAuthority } from './support/certificates.js';
import { EMAIL, setEnvironment, temporaryFolder } from './support/emulator.js';

const AUDIENCE = 'https://127.0.0.1';
const LIFETIME_SECONDS = 4;

let emulator;
before(async () => {
  emulator = await Emulator.start({ arguments: ['--email', EMAIL, '--lifetime', String(LIFETIME_SECONDS)] });
});
after(() => emulator?.stop());

test('the client of the bookstore calls for longer than its first token lives', async (t) => {
  const authority = makeAuthority(temporaryFolder(t), 'authority');
  const { cert_path, key_path } = authority.vouchFor('bookstore');
  const refused = [];
  const check = requireIdToken({
    audience: AUDIENCE,
    keysUrl: emulator.keysUrl,
    leewaySeconds: 0,
    onRefusal: ({ code }) => refused.push(code),
  });
  const server = new Server({ interceptors: [check] });
  t.after(() => server.forceShutdown());
  const ends = new Set();
  const outlived = new Promise((resolve) => {
    server.addService(Bookstore.service, {
      getBook(call, callback) {
        const { email, exp } = claimsOf(call);
        ends.add(exp);
        callback(null, { title: call.request.title, reader: email });
        if (Date.now() > Math.min(...ends) * 1000) resolve();
      },
    });
  });
  const [cert_chain, private_key] = [cert_path, key_path].map((path) => readFileSync(path));
  const tls = ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', tls);

  const client = run(t, 'client.js', {
    TARGET: `127.0.0.1:${port}`,
    PAUSE_SECONDS: '0.05',
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: authority.path,
  });
  const lines = client.stdout.toArray();
  await outlived;
  client.kill();
  const printed = Buffer.concat(await lines)
    .toString()
    .trim()
    .split('\n');
  assert.deepEqual([new Set(printed), refused], [new Set([`Emma, for ${EMAIL}`]), []]);
  assert.ok(ends.size > 1);
});

test('the server of the bookstore knows its reader', async (t) => {
  setEnvironment(emulator.environment);
  const server = run(t, 'server.js', { AUDIENCE, PORT: '0' });
  const [line] = await once(createInterface(server.stdout), 'line');
  const target = `127.0.0.1:${/^listening on port (\d+)$/.exec(line)[1]}`;
  for (const [interceptors, expected] of [
    [[insecureIdTokenInterceptor({ allowPlaintextLoopback: true })], { title: 'Emma', reader: EMAIL }],
    [[], status.UNAUTHENTICATED],
  ]) {
    const client = new Bookstore(target, credentials.createInsecure(), { interceptors });
    t.after(() => client.close());
    const found = await promisify(client.getBook.bind(client))({ title: 'Emma' }).catch(({ code }) => code);
    assert.deepEqual(JSON.parse(JSON.stringify(found)), expected);
  }
});

/** Starts a program of the example, which ends with the test. */
function run(t, name, environment) {
  const program = fileURLToPath(new URL(`../examples/grpc/${name}`, import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...emulator.environment, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  return child;
}
