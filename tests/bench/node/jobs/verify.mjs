/** Verification on one thread: V1 the same token again and again, V2 a thousand in turn, V3 the same with ES256. */

import { Material } from '../material.mjs';
import { verification, verifiersOf } from '../verification.mjs';
import { crossing, rawSignature } from './limits.mjs';

export const DISTINCT = 1_000;

export const jobs = [
  { units: { V1: 'op/s' }, prepare: () => prepare('V1', 'RS256', 1) },
  { units: { V2: 'op/s' }, prepare: () => prepare('V2', 'RS256', DISTINCT) },
  { units: { V3: 'op/s' }, prepare: () => prepare('V3', 'ES256', DISTINCT) },
];

async function prepare(job, alg, count) {
  const material = new Material(alg);
  const tokens = material.tokens(count);
  const peers = [];
  for (const [name, library] of Object.entries(verifiersOf(tokens))) {
    peers.push({ name, package: library, rate: await verification(name, material.policy, tokens) });
  }
  const limits = [rawSignature(material.policy, tokens), ...(job === 'V1' ? [crossing()] : [])];
  return {
    peers: [...peers, ...limits].map(({ rate, ...peer }) => ({
      ...peer,
      measure: async (seconds) => ({ [job]: await rate(seconds) }),
    })),
  };
}
