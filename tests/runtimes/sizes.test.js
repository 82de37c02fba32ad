/**
 * What a browser downloads of the package, compressed with gzip: at most 5 % more than sizes.json says. `npm run sizes` writes
 * that file. They are the sizes that Debian's compiler makes, whose standard library is compiled for size.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { ROOT, entryFor, modulesOf } from './files.js';

const KNOWN = fileURLToPath(new URL('sizes.json', import.meta.url));
const ENTRIES = { gatepass: ['.', 'gatepass.wasm'], 'gatepass/verify': ['./verify', 'verify.wasm'] };

const compressed = (bytes) => gzipSync(bytes, { level: 9 }).length;

const found = Object.entries(ENTRIES).map(([name, [entry, file]]) => {
  const module = readFileSync(join(ROOT, 'packages/js/wasm', file));
  const scripts = [...modulesOf(entryFor('browser', entry)).keys()].map((path) => readFileSync(join(ROOT, path)));
  const sizes = {
    module: module.length,
    module_gzip: compressed(module),
    javascript_gzip: scripts.map(compressed).reduce((sum, size) => sum + size),
  };
  // Where a panic names a file of the standard library, that came from rustup.
  const isForSize = !module.includes('/rustc/');
  return [name, sizes, isForSize ? false : 'the standard library of rustup is larger than the one that is known'];
});

if (process.env.GATEPASS_WRITE_SIZES) writeFileSync(KNOWN, `${JSON.stringify(Object.fromEntries(found), null, 2)}\n`);
const known = JSON.parse(readFileSync(KNOWN, 'utf8'));

for (const [name, sizes, skip] of found) {
  test(`${name} is no larger than it was`, { skip }, () => {
    console.log(`${name}: ${JSON.stringify(sizes)}`);
    for (const [what, size] of Object.entries(sizes)) {
      const most = Math.floor(known[name][what] * 1.05);
      assert.ok(size <= most, `${what}: ${size} bytes, expected at most ${most}; if that is right, npm run sizes`);
    }
  });
}
