/** Verifies on a thread of its own: is told who and for how long, and says how often in a second. */

import { parentPort, workerData } from 'node:worker_threads';

import { rate } from '../measure.mjs';
import { load } from '../peers/index.mjs';

const { policy, tokens, peers } = workerData;
const verifiers = new Map();
for (const peer of peers) verifiers.set(peer, (await load(peer)).verifier(policy));

parentPort.on('message', async ({ peer, seconds }) => {
  const verify = verifiers.get(peer);
  parentPort.postMessage(await rate(seconds, (i) => verify(tokens[i % tokens.length])));
});
parentPort.postMessage('ready');
