/** Verifies one token with the library that the argument names, and prints how many bytes of memory it has then. */

import { readFileSync } from 'node:fs';

const [, , peer] = process.argv;
const { policy, token } = JSON.parse(readFileSync(0, 'utf8'));
if (peer !== 'empty process') {
  const { load } = await import('../peers/index.mjs');
  const { email } = await (await load(peer)).verifier(policy)(token);
  if (typeof email !== 'string') throw new Error(`${peer} gave no e-mail`);
}
// Not the most that it had, in which Linux counts what the process that started this one had.
console.log(process.memoryUsage.rss());
