/** The files of `tests/vectors`, which every language runs: its README says what they mean. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';

import { makeSignature } from '../../src/node/driver/signatures.js';

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

/** The step after a reply, JSON. A signature that the core leaves to Node.js is made first: no vector has one. */
export function resumed(op, now, reply) {
  const step = op.resume(now, now, JSON.stringify(reply));
  if (JSON.parse(step).step !== 'sign') return step;
  return op.resume(now, now, JSON.stringify(makeSignature(JSON.parse(step))));
}
