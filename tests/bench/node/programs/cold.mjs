/** Verifies one token with the library that the argument names, and prints the most memory that it had, in kB. */

import { readFileSync } from 'node:fs';

const [, , peer] = process.argv;
const { policy, token } = JSON.parse(readFileSync(0, 'utf8'));
if (peer !== 'empty process') {
  const { load } = await import('../peers/index.mjs');
  const { email } = await (await load(peer)).verifier(policy)(token);
  if (typeof email !== 'string') throw new Error(`${peer} gave no e-mail`);
}
console.log(process.resourceUsage().maxRSS);
