/** Verification on one thread: V1 the same token again and again, V2 a thousand in turn, V3 the same with ES256. */

import { Material } from '../material.mjs';
import { rate } from '../measure.mjs';
import { PEERS, load } from '../peers/index.mjs';
import { crossing } from './crossing.mjs';

export const DISTINCT = 1_000;

export const jobs = [
  { name: 'V1', unit: 'op/s', prepare: () => prepare('RS256', 1, [crossing()]) },
  { name: 'V2', unit: 'op/s', prepare: () => prepare('RS256', DISTINCT) },
  { name: 'V3', unit: 'op/s', prepare: () => prepare('ES256', DISTINCT) },
];

async function prepare(alg, count, others = []) {
  const material = new Material(alg);
  const tokens = material.tokens(count);
  const peers = [];
  for (const [name, library] of Object.entries(PEERS)) {
    const verify = (await load(name)).verifier(material.policy);
    peers.push({
      name,
      package: library,
      measure: (seconds) => rate(seconds, (i) => verify(tokens[i % count])),
    });
  }
  if (count > 1) peers.push(await unseen(material.policy, tokens));
  return { peers: [...peers, ...others] };
}

/** gatepass with tokens that it has not seen before: a verifier that has seen them all makes way for a new one. */
async function unseen(policy, tokens) {
  const { verifier } = await load('gatepass');
  let verify;
  const call = (i) => {
    if (i % tokens.length === 0) verify = verifier(policy);
    return verify(tokens[i % tokens.length]);
  };
  return { name: 'gatepass, every token new', package: 'gatepass', measure: (seconds) => rate(seconds, call) };
}
