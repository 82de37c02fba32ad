/** Verifies on a thread of its own: is told who and for how long, and says how often in a second. */

import { parentPort, workerData } from 'node:worker_threads';

import { verification } from '../verification.mjs';

const { policy, tokens, peers } = workerData;
const measures = new Map();
for (const peer of peers) measures.set(peer, await verification(peer, policy, tokens));

parentPort.on('message', async ({ peer, seconds }) => {
  parentPort.postMessage(await measures.get(peer)(seconds));
});
parentPort.postMessage('ready');
