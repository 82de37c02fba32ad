/** Files of the repository, read where there are files: the vectors, and the package's modules; and folders for a test. */

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { exports } = JSON.parse(readFileSync(join(ROOT, 'packages/js/package.json'), 'utf8'));

const FOLDER = fileURLToPath(new URL('../vectors/', import.meta.url));

/** Path below tests/vectors → what is in it. */
export function readVectors() {
  const files = {};
  for (const folder of ['verify', 'algorithms', 'presets', 'acquire', 'cache', 'client', 'credentials']) {
    const names = readdirSync(`${FOLDER}${folder}`).filter(
      // What the environment makes of presets (emulator.json) is in the public-API tests.
      (name) => name.endsWith('.json') && !['schema.json', 'emulator.json'].includes(name),
    );
    for (const name of names.sort()) {
      files[`${folder}/${name}`] = JSON.parse(readFileSync(`${FOLDER}${folder}/${name}`, 'utf8'));
    }
  }
  return files;
}

/** The package's file for an entry and a condition, from the repository's root. */
export function entryFor(condition, entry = '.') {
  return posix.join('packages/js', exports[entry][condition]);
}

/** What a module imports, itself included, as a bundler would find it: path from the repository's root → the module's kind. */
export function modulesOf(entry, found = new Map()) {
  if (found.has(entry)) return found;
  const isModule = entry.endsWith('.js');
  found.set(entry, isModule ? 'esModule' : 'wasm');
  if (!isModule) return found;
  const text = readFileSync(join(ROOT, entry), 'utf8');
  for (const [, name] of text.matchAll(/\bfrom ['"](\.[^'"]+)['"]/g)) modulesOf(posix.join(posix.dirname(entry), name), found);
  return found;
}

/** A folder that is there until the test ends. */
export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
  // A browser that is being ended may still write there.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
