/** S: an assertion is built and signed, each for another audience, so that nobody can hand out an old one. */

import { Material } from '../material.mjs';
import { repeated } from '../measure.mjs';
import { PEERS, load } from '../peers/index.mjs';

export const jobs = [{ units: { S: 'op/s' }, prepare }];

async function prepare() {
  const material = new Material('RS256');
  let audiences = 0;
  const peers = [];
  for (const [name, library] of Object.entries(PEERS)) {
    const { signer } = await load(name);
    if (signer === undefined) continue;
    const sign = signer(material);
    const call = () => sign(`https://receiver-${audiences++}.example/`);
    const measure = async (seconds) => ({ S: await repeated(seconds, call) });
    peers.push({ name, package: library, measure });
  }
  return { peers };
}
