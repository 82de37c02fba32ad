/** Installing the package into an empty project, as a user does. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { addonIn } from '../src/node/addon.js';
import { temporaryFolder } from './support/emulator.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const IMPORTING = `
  import { Verifier, verifyIdToken } from 'gatepass';
  import { requireIdToken } from 'gatepass/express';
  requireIdToken({ audience: 'https://receiver.example' });
  await verifyIdToken('a.b.c', { audience: 'https://receiver.example' }).catch(({ code }) => console.log(code));`;
const REQUIRING = `
  const { audienceForUrl } = require('gatepass');
  console.log(audienceForUrl('https://tag---svc-abc-uc.a.run.app/path'));`;

test('npm install of the folder builds the add-on, and a program runs', (t) => {
  const project = emptyProject(t);
  npm(project, ['install', PACKAGE]);
  assertWorks(project);
});

test('npm install of the packed archive brings the add-on along, and needs no cargo', (t) => {
  const project = emptyProject(t);
  npm(PACKAGE, ['pack', '--pack-destination', project]);
  const [archive] = readdirSync(project).filter((file) => file.endsWith('.tgz'));
  npm(project, ['install', `./${archive}`], { PATH: withoutCargo(t) });
  // With the WebAssembly module as well, where it was built.
  const packed = readdirSync(join(project, 'node_modules/gatepass')).filter((name) => name !== 'wasm');
  assert.deepEqual(packed.sort(), [
    'README.md',
    'cjs',
    'express.d.ts',
    'fastify.d.ts',
    'grpc.d.ts',
    'index.d.ts',
    'native',
    'package.json',
    'scripts',
    'src',
    'testing.d.ts',
    'verify.d.ts',
  ]);
  assertWorks(project);
});

test('without cargo and without an add-on the install script says what to do', (t) => {
  const { status, stderr } = runScript(t, fakeCheckout(t));
  assert.equal(status, 1);
  assert.match(stderr, /^gatepass: .*there is no cargo; install Rust/);
});

test('a provider that nobody knows is an error, and nothing is built', (t) => {
  const checkout = fakeCheckout(t);
  const { status, stderr } = runScript(t, checkout, { GATEPASS_PROVIDER: 'openssl' });
  assert.equal(status, 1);
  assert.match(stderr, /^gatepass: GATEPASS_PROVIDER is "openssl", .*; expected ring or aws-lc-rs\.\n$/);
});

test('an archive without an add-on for the platform says so', (t) => {
  const archive = temporaryFolder(t);
  copyScript(archive);
  const { status, stderr } = runScript(t, archive);
  assert.equal(status, 1);
  assert.match(stderr, /^gatepass: this archive has no native add-on for \w+-\w+ and no Rust sources/);
});

test('a package whose install script did not run says what to do', (t) => {
  const folder = temporaryFolder(t);
  copyScript(folder);
  const program = join(folder, 'packages/js/program.js');
  writeFileSync(program, `import { Verifier } from './src/node/index.js'; new Verifier({ audience: 'a' });`);
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /gatepass: the native add-on for \w+-\w+ cannot be loaded.*npm rebuild gatepass/);
});

function emptyProject(t) {
  const project = temporaryFolder(t);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  return project;
}

function assertWorks(project) {
  assert.ok(existsSync(addonIn(PACKAGE)));
  assert.equal(run(project, 'program.mjs', IMPORTING), 'TOKEN_MALFORMED\n');
  assert.equal(run(project, 'program.cjs', REQUIRING), 'https://svc-abc-uc.a.run.app\n');
}

function run(project, name, program) {
  writeFileSync(join(project, name), program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [name], { cwd: project, encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

function npm(cwd, args, env) {
  const options = { cwd, encoding: 'utf8', env: { ...process.env, ...env } };
  const { status, stdout, stderr } = spawnSync(
    'npm',
    [...args, '--offline', '--no-audit', '--no-fund'],
    options,
  );
  assert.equal(status, 0, stdout + stderr);
}

/** The install script and what it needs, placed as in a checkout. */
function copyScript(folder) {
  for (const part of ['src', 'scripts', 'package.json']) {
    cpSync(join(PACKAGE, part), join(folder, 'packages/js', part), { recursive: true });
  }
}

/** As much of a checkout as the install script looks for. */
function fakeCheckout(t) {
  const folder = temporaryFolder(t);
  copyScript(folder);
  mkdirSync(join(folder, 'bindings/node'), { recursive: true });
  cpSync(join(PACKAGE, '../../bindings/node/Cargo.toml'), join(folder, 'bindings/node/Cargo.toml'));
  return folder;
}

function runScript(t, folder, env) {
  const script = join(folder, 'packages/js/scripts/build.js');
  return spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    env: { PATH: withoutCargo(t), ...env },
  });
}

/** A PATH with what npm needs, and no cargo. */
function withoutCargo(t) {
  const folder = temporaryFolder(t);
  for (const name of ['node', 'npm', 'sh', 'env']) {
    const { stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    symlinkSync(stdout.trim(), join(folder, name));
  }
  return folder;
}
