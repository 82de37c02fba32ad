/** The files of `tests/vectors`, which every language runs: its README says what they mean. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';

const vectors = new URL('../../../../tests/vectors/', import.meta.url);

/** One file, parsed. */
export function read(path) {
  return JSON.parse(readFileSync(new URL(path, vectors), 'utf8'));
}

/** The cases of every file in a folder. */
export function cases(folder) {
  const files = readdirSync(new URL(folder, vectors)).filter((file) => /(?<!schema)\.json$/.test(file));
  assert.ok(files.length > 0, `no vectors in ${folder}`);
  return files.flatMap((file) => read(`${folder}/${file}`).cases.map((case_) => ({ file, ...case_ })));
}
