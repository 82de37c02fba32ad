/** The package inside and outside of bundles, and in the test runners that have a module system of their own. */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { build } from 'esbuild';
import { Emulator } from 'gatepass/testing';
import webpack from 'webpack';

const HERE = import.meta.dirname;
const EMAIL = 'default@emulator.iam.gserviceaccount.com';

// Within this folder, where the package is installed.
const folder = mkdtempSync(join(HERE, 'out-'));
let emulator;
before(async () => (emulator = await Emulator.start()));
after(async () => {
  rmSync(folder, { recursive: true });
  await emulator?.stop();
});

for (const external of [[], ['gatepass', 'gatepass/grpc']]) {
  for (const [format, entry, extension] of [
    ['esm', 'main.js', 'mjs'],
    ['cjs', 'required.cjs', 'cjs'],
    ['cjs', 'grpc.cjs', 'cjs'],
  ]) {
    const place = external.length > 0 ? 'outside' : 'inside';

    test(`esbuild, ${entry}, the package ${place}`, async () => {
      const outfile = join(folder, `esbuild-${place}-${entry}.${extension}`);
      const entryPoints = [join(HERE, entry)];
      await build({
        entryPoints,
        outfile,
        bundle: true,
        platform: 'node',
        format,
        external,
        logLevel: 'error',
      });
      assertRuns(outfile);
    });

    test(`webpack, ${entry}, the package ${place}`, async () => {
      const externals = Object.fromEntries(external.map((name) => [name, `commonjs ${name}`]));
      const filename = `webpack-${place}-${entry}.cjs`;
      await webpacked({
        mode: 'production',
        target: 'node',
        entry: join(HERE, entry),
        externals,
        // To make grpc-js small takes long, and shows nothing about this package.
        optimization: { minimize: entry !== 'grpc.cjs' },
        output: { path: folder, filename },
      });
      assertRuns(join(folder, filename));
    });
  }
}

test('Next.js builds a server, which works', async () => {
  const next = join(HERE, 'node_modules/next/dist/bin/next');
  const env = environment({ NEXT_TELEMETRY_DISABLED: '1' });
  const built = spawnSync(process.execPath, [next, 'build', 'next'], { cwd: HERE, env, encoding: 'utf8' });
  assert.equal(built.status, 0, built.stdout + built.stderr);

  const args = [next, 'start', 'next', '--port', '0', '--hostname', '127.0.0.1'];
  const server = spawn(process.execPath, args, { cwd: HERE, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for await (const line of createInterface({ input: server.stdout })) {
      const [url] = /http:\/\/(?:127\.0\.0\.1|localhost):\d+/.exec(line) ?? [];
      if (url === undefined) continue;
      const response = await fetch(`${url}/api/caller`);
      return assert.deepEqual([response.status, await response.json()], [200, { email: EMAIL }]);
    }
    assert.fail('it ended before it listened');
  } finally {
    server.kill();
    await once(server, 'exit');
  }
});

/** Their own limits of a few seconds are none for a busy machine. */
const PATIENCE_MS = '300000';

test('Jest, by require', () =>
  assertSucceeds(
    'jest/bin/jest.js',
    ...['--rootDir', 'jest', '--testMatch', '**/*.test.cjs', '--testTimeout', PATIENCE_MS],
  ));

test('vitest, by import', () =>
  assertSucceeds(
    'vitest/vitest.mjs',
    ...['run', '--root', 'vitest', '--testTimeout', PATIENCE_MS, '--hookTimeout', PATIENCE_MS],
  ));

function environment(others) {
  return { ...process.env, ...emulator.environment, KEYS_URL: emulator.keysUrl, ...others };
}

function assertRuns(program) {
  const { stdout, stderr } = spawnSync(process.execPath, [program], { env: environment(), encoding: 'utf8' });
  assert.equal(stdout, `${EMAIL}\n`, stderr);
}

function assertSucceeds(program, ...args) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = [join(HERE, 'node_modules', program), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, run, { cwd: HERE, env, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

async function webpacked(config) {
  const compiler = webpack(config);
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, stats) => (error ? reject(error) : resolve(stats)));
  });
  await new Promise((resolve) => compiler.close(resolve));
  const { errors, warnings } = stats.toJson({ errors: true, warnings: true });
  assert.deepEqual([errors, warnings], [[], []]);
}
