/** The names of tokens that came before: kept as long as the core has given their place to no other token. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KnownTokens } from '../../packages/js/src/wasm/known-tokens.js';

const PLACES = 131_072;

test('a name is forgotten when its place is that of another token', () => {
  const known = new KnownTokens(PLACES);
  known.keep('a', undefined, 1 * PLACES + 3, 1);
  known.keep('b', undefined, 2 * PLACES + 4, 2);
  assert.deepEqual(['a', 'b', 'c'].map((token) => known.nameOf(token)), [1, 2, undefined]);
  // Numbers are larger than 32 bits after a while.
  known.keep('c', undefined, 2 ** 40 + 3, 3);
  assert.deepEqual(['a', 'b', 'c'].map((token) => known.nameOf(token)), [undefined, 2, 3]);
});

test('a header is no token, and a token no header', () => {
  const known = new KnownTokens(PLACES);
  const [a, b] = ['a'.repeat(50), 'b'.repeat(50)];
  known.keep(a, undefined, 1 * PLACES + 3, 1);
  known.keep(b, `Bearer ${b}`, 2 * PLACES + 4, 2);
  assert.deepEqual([known.nameOf(a), known.nameOf(b), known.nameOfHeader(`Bearer ${b}`)], [1, 2, 2]);
  assert.deepEqual([a, b, `Bearer ${a}`].map((text) => known.nameOfHeader(text)), Array(3).fill(undefined));
  assert.equal(known.nameOf(`Bearer ${b}`), undefined);
});

test('a token that has another place is known by that', () => {
  const known = new KnownTokens(PLACES);
  known.keep('a', undefined, 1 * PLACES + 3, 1);
  known.keep('a', undefined, 2 * PLACES + 4, 2);
  known.keep('b', undefined, 3 * PLACES + 3, 3);
  assert.deepEqual([known.nameOf('a'), known.nameOf('b')], [2, 3]);
  known.keep('c', undefined, 4 * PLACES + 4, 4);
  assert.deepEqual([known.nameOf('a'), known.nameOf('c')], [undefined, 4]);
});

test('a token is known by all of its letters, not by its end alone', () => {
  const known = new KnownTokens(PLACES);
  const end = 's'.repeat(340);
  const [one, two] = [`header.one.${end}`, `header.two.${end}`];
  known.keep(one, `Bearer ${one}`, 1 * PLACES + 3, 1);
  assert.deepEqual([one, two, end].map((token) => known.nameOf(token)), [1, undefined, undefined]);
  assert.deepEqual([one, two].map((token) => known.nameOfHeader(`Bearer ${token}`)), [1, undefined]);
  known.keep(two, undefined, 2 * PLACES + 4, 2);
  assert.deepEqual([one, two].map((token) => known.nameOf(token)), [undefined, 2]);
});

test('no two names are the same', () => {
  const known = new KnownTokens(PLACES);
  assert.equal(new Set(Array.from({ length: 1000 }, () => known.newName())).size, 1000);
});
