/** V4: verification on four worker threads at once, each with a verifier of its own. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { Material } from '../material.mjs';
import { verifiersOf } from '../verification.mjs';
import { DISTINCT } from './verify.mjs';

const THREADS = 4;

export const jobs = [
  { units: { 'V4-repeated': 'op/s' }, prepare: () => prepare('V4-repeated', 1) },
  { units: { 'V4-distinct': 'op/s' }, prepare: () => prepare('V4-distinct', DISTINCT) },
];

async function prepare(job, count) {
  const material = new Material('RS256');
  const tokens = material.tokens(count);
  const verifiers = verifiersOf(tokens);
  const workerData = { policy: material.policy, tokens, peers: Object.keys(verifiers) };
  const program = new URL('../programs/worker.mjs', import.meta.url);
  const workers = Array.from({ length: THREADS }, () => new Worker(program, { workerData }));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const ask = async (worker, order) => {
    worker.postMessage(order);
    return (await once(worker, 'message'))[0];
  };
  const peers = Object.entries(verifiers).map(([name, library]) => ({
    name,
    package: library,
    measure: async (seconds) => {
      const rates = await Promise.all(workers.map((worker) => ask(worker, { peer: name, seconds })));
      return { [job]: rates.reduce((sum, one) => sum + one) };
    },
  }));
  return { peers, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}
