/** Every program in the READMEs compiles under TypeScript's strictest checks, and runs against the emulator. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Client, credentials } from '@grpc/grpc-js';
import { Emulator } from 'gatepass/testing';

import { makeAuthority } from './support/certificates.js';
import { serveOrders } from './support/orders.js';
import { serve } from './support/servers.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const AUDIENCE = 'https://orders.example';
const READMES = ['README.md', '../../README.md'];
const programs = READMES.flatMap((file) => {
  const text = readFileSync(join(PACKAGE, file), 'utf8');
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, program], i) => ({
    name: `${file} ${i + 1}`,
    program,
  }));
});
assert.equal(programs.length, 11);

let emulator;
let folder;
before(async () => {
  emulator = await Emulator.start();
  // Within the package, where its own name and its dependencies are found.
  folder = mkdtempSync(join(PACKAGE, 'test/.readme-'));
});
after(async () => {
  rmSync(folder, { recursive: true });
  await emulator?.stop();
});

test('they compile', () => {
  const files = programs.map(({ program }, i) => {
    const file = join(folder, `program-${i}.mts`);
    writeFileSync(file, program);
    return file;
  });
  const options =
    '--noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --noImplicitOverride';
  const environment = '--module nodenext --target es2023 --lib es2023 --types node --skipLibCheck';
  const tsc = join(PACKAGE, 'node_modules/typescript/bin/tsc');
  const args = [tsc, ...options.split(' '), ...environment.split(' '), ...files];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: PACKAGE, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

for (const [i, { name, program }] of programs.entries()) {
  test(`${name} runs`, async (t) => {
    const receiver = await serve(t, (req, res) => {
      res.writeHead(/^Bearer ey/.test(req.headers.authorization ?? '') ? 200 : 401).end('{}');
    });
    const authority = makeAuthority(folder, 'authority');
    const orders = await serveOrders(t, { certificate: authority.vouchFor('orders') });
    const port = await freePort();
    const isGrpc = program.includes("'gatepass/grpc'");
    const isServer = program.includes('8080');
    const text = program
      // A receiver's audience is only a name; whom a caller calls must be there.
      .replaceAll(AUDIENCE, isServer ? AUDIENCE : receiver)
      .replaceAll('orders.example:443', orders.tls)
      .replaceAll('https://sts.googleapis.com', emulator.url)
      .replaceAll('8080', String(port));
    const file = join(folder, `program-${i}.mjs`);
    writeFileSync(file, text);
    const isTest = program.includes("from 'node:test'");
    const child = spawn(process.execPath, [...(isTest ? ['--test'] : []), file], {
      env: {
        ...process.env,
        ...emulator.environment,
        GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: authority.path,
        NODE_TEST_CONTEXT: undefined,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = [child.stdout, child.stderr].map(async (stream) =>
      Buffer.concat(await stream.toArray()).toString(),
    );
    if (isServer && isGrpc) {
      await reachable(`localhost:${port}`);
      child.kill();
    } else if (isServer) {
      const token = await emulator.mint({ audience: AUDIENCE, email: 'caller@shop.iam.gserviceaccount.com' });
      const answer = await answerOf(child, `http://localhost:${port}/`, token);
      assert.deepEqual(answer, { caller: 'caller@shop.iam.gserviceaccount.com' });
      child.kill();
    }
    const [status] = await once(child, 'exit');
    const [stdout, stderr] = await Promise.all(texts);
    if (!isServer) assert.deepEqual([status, stdout.length > 0], [0, true], stdout + stderr);
  });
}

async function freePort() {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits for a server of gRPC. */
async function reachable(target) {
  const client = new Client(target, credentials.createInsecure());
  const ready = promisify(client.waitForReady.bind(client));
  await ready(Date.now() + 60_000).finally(() => client.close());
}

/** What the server answers as soon as it is there. */
async function answerOf(child, url, token) {
  while (child.exitCode === null) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } }).catch(
      () => undefined,
    );
    if (response !== undefined) return await response.json();
  }
  assert.fail('the program has ended');
}
