/** The digests of tokens that came again: kept as long as the core has given their place to no other token. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { load } from '../../packages/js/src/node/wasm.js';
import { Digests } from '../../packages/js/src/wasm/digests.js';

const PLACES = 131_072;

test('a digest is forgotten when its place is that of another token', () => {
  const digests = new Digests(PLACES);
  digests.keep('a', false, 1 * PLACES + 3, new Uint32Array([1]));
  digests.keep('b', false, 2 * PLACES + 4, new Uint32Array([2]));
  assert.deepEqual([digests.of('a', false), digests.of('b', false), digests.of('c', false)], [[1], [2], undefined]);
  // Numbers are larger than 32 bits after a while.
  digests.keep('c', false, 2 ** 40 + 3, new Uint32Array([3]));
  assert.deepEqual([digests.of('a', false), digests.of('b', false), digests.of('c', false)], [undefined, [2], [3]]);
});

test('a header is no token, and a token no header', () => {
  const digests = new Digests(PLACES);
  digests.keep('a', false, 1 * PLACES + 3, new Uint32Array([1]));
  digests.keep('Bearer b', true, 2 * PLACES + 4, new Uint32Array([2]));
  assert.deepEqual([digests.of('a', false), digests.of('Bearer b', true)], [[1], [2]]);
  assert.deepEqual([digests.of('a', true), digests.of('Bearer b', false)], [undefined, undefined]);
});

test('a token that has another place is known by that', () => {
  const digests = new Digests(PLACES);
  digests.keep('a', false, 1 * PLACES + 3, new Uint32Array([1]));
  digests.keep('a', false, 2 * PLACES + 4, new Uint32Array([1]));
  digests.keep('b', false, 3 * PLACES + 4, new Uint32Array([2]));
  assert.deepEqual([digests.of('a', false), digests.of('b', false)], [undefined, [2]]);
});

test('the module’s digest is SHA-256, and there is none of what is too long to be a token', () => {
  load();
  const { tokenDigest } = createRequire(import.meta.url)('../../packages/js/wasm/gatepass.cjs');
  for (const text of ['', 'a', randomBytes(600).toString('base64url')]) {
    const sha256 = createHash('sha256').update(text).digest();
    assert.deepEqual(Buffer.from(tokenDigest(text).buffer), sha256);
  }
  assert.equal(tokenDigest('a'.repeat(2 ** 14 + 1)).length, 0);
});
