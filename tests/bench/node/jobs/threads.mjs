/** V4: verification on four worker threads at once, each with a verifier of its own. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { Material } from '../material.mjs';
import { PEERS } from '../peers/index.mjs';
import { DISTINCT } from './verify.mjs';

const THREADS = 4;

export const jobs = [
  { name: 'V4-repeated', unit: 'op/s', prepare: () => prepare(1) },
  { name: 'V4-distinct', unit: 'op/s', prepare: () => prepare(DISTINCT) },
];

async function prepare(count) {
  const material = new Material('RS256');
  const workerData = { policy: material.policy, tokens: material.tokens(count), peers: Object.keys(PEERS) };
  const program = new URL('../programs/worker.mjs', import.meta.url);
  const workers = Array.from({ length: THREADS }, () => new Worker(program, { workerData }));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const ask = async (worker, order) => {
    worker.postMessage(order);
    return (await once(worker, 'message'))[0];
  };
  const peers = Object.entries(PEERS).map(([name, library]) => ({
    name,
    package: library,
    measure: async (seconds) => {
      const rates = await Promise.all(workers.map((worker) => ask(worker, { peer: name, seconds })));
      return rates.reduce((sum, one) => sum + one);
    },
  }));
  return { peers, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}
