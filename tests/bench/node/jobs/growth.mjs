/** G: whether a call takes longer the more tokens and audiences there are. */

// The package hides the add-on, and in front of it keeps a thousand headers at most: behind that it is that grows.
import { native } from '../../../../packages/node/lib/native.js';
import { Material } from '../material.mjs';
import { rate } from '../measure.mjs';
import { tokenFor } from '../metadata-server.mjs';
import { load } from '../peers/index.mjs';

/** Those that are in use at the end, out of all that there were. */
const IN_USE = 1_000;
/** More steps than it takes to get a token. */
const MAX_STEPS = 10;

export const jobs = [10, 1_000, 100_000].map((count) => ({
  name: `G-${count}`,
  unit: 'op/s',
  prepare: () => prepare(count),
}));

async function prepare(count) {
  // Signing a hundred thousand takes long enough with the faster algorithm.
  const material = new Material('ES256');
  const tokens = material.tokens(count);
  const peers = [];
  for (const name of ['gatepass', 'fast-jwt with its cache']) {
    const verify = (await load(name)).verifier(material.policy);
    for (const token of tokens) await verify(token);
    peers.push({
      name: `${name}, verified tokens`,
      package: name.split(' ')[0],
      measure: inUse(tokens, verify),
    });
  }
  return { peers: [...peers, audiences(count)] };
}

function audiences(count) {
  const source = new native.Source(JSON.stringify({ seed: 1 }));
  const all = Array.from({ length: count }, (_, i) => `https://receiver-${i}.example`);
  const lookUp = (audience) => source.lookup('id_token', audience, Date.now());
  for (const audience of all) fly(lookUp(audience).op, audience);
  return { name: 'gatepass, audiences', package: 'gatepass', measure: inUse(all, lookUp) };
}

/** Gets a token as from a metadata server, but without one. */
function fly(op, audience) {
  const replies = {
    read_env: { reply: 'env', values: { METADATA_SERVER_DETECTION: 'assume-present' } },
    send: {
      reply: 'response',
      status: 200,
      headers: [['metadata-flavor', 'Google']],
      body: tokenFor(audience),
    },
  };
  let reply = { reply: 'start' };
  for (let i = 0; i < MAX_STEPS; i++) {
    const { step } = JSON.parse(op.resume(Date.now(), JSON.stringify(reply)));
    if (step === 'done') return;
    reply = replies[step] ?? { reply: 'failed', kind: 'not_found', message: 'there is none' };
  }
  throw new Error('no token came');
}

function inUse(all, call) {
  const last = all.slice(-IN_USE);
  return (seconds) => rate(seconds, (i) => call(last[i % last.length]));
}
