/** Which of the two decides in Node.js, in a project that has the package as npm installs it: with the add-on or without. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../packages/js/', import.meta.url));
const USING = `
  const { audienceForUrl } = await import('gatepass');
  console.log(audienceForUrl('https://a.run.app/x'));`;
const REQUIRING = `
  const { audienceForUrl } = require('gatepass');
  console.log(audienceForUrl('https://a.run.app/x'));`;
const GIVEN = `
  const { init, audienceForUrl } = await import('gatepass');
  const { readFileSync } = await import('node:fs');
  const bytes = readFileSync(new URL(import.meta.resolve('gatepass/wasm/gatepass.wasm')));
  await init(new WebAssembly.Module(bytes));
  console.log(audienceForUrl('https://a.run.app/x'));`;

let project;
before(() => {
  project = mkdtempSync(join(tmpdir(), 'gatepass-'));
  const folder = join(project, 'node_modules/gatepass');
  mkdirSync(folder, { recursive: true });
  for (const part of ['src', 'wasm', 'package.json']) {
    cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  }
});
after(() => rmSync(project, { recursive: true }));

function run(program, name, backend) {
  writeFileSync(join(project, name), program);
  const { GATEPASS_BACKEND: _, ...env } = process.env;
  if (backend !== undefined) env.GATEPASS_BACKEND = backend;
  const { stdout, stderr } = spawnSync(process.execPath, [name], { cwd: project, env, encoding: 'utf8' });
  return stdout || stderr;
}

test('without the add-on the module takes its place', () => {
  assert.equal(run(USING, 'import.mjs'), 'https://a.run.app\n');
  assert.equal(run(REQUIRING, 'require.cjs'), 'https://a.run.app\n');
  assert.equal(run(USING, 'import.mjs', 'wasm'), 'https://a.run.app\n');
});

test('a module that is given is used', () => {
  assert.equal(run(GIVEN, 'given.mjs'), 'https://a.run.app\n');
});

test('what is named and not there is missed, and so is what nobody knows', () => {
  assert.match(run(USING, 'import.mjs', 'native'), /the native add-on for \S+ cannot be loaded/);
  assert.match(run(USING, 'import.mjs', 'wsam'), /GATEPASS_BACKEND is "wsam", expected native or wasm/);
});
