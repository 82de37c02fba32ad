/** Verifies tokens with the library that the argument names, and prints by how many bytes the process has grown. */

import { readFileSync } from 'node:fs';

import { load } from '../peers/index.mjs';

const { policy, tokens } = JSON.parse(readFileSync(0, 'utf8'));
const verify = (await load(process.argv[2])).verifier(policy);
const [first, ...others] = tokens;
await verify(first);
const before = residentOctets();
// Twice: what is kept of a token may be made when it comes back.
for (let turn = 0; turn < 2; turn++) {
  for (const token of others) await verify(token);
}
console.log(residentOctets() - before);

function residentOctets() {
  for (let i = 0; i < 3; i++) gc();
  return process.memoryUsage.rss();
}
