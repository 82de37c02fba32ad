/** G: whether a call takes longer the more tokens and audiences there are, and what memory a token takes. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// The package hides the add-on, and in front of it keeps a thousand headers at most: behind that it is that grows.
import { host } from '../../../../packages/js/src/node/host.js';
import { Material } from '../material.mjs';
import { rate } from '../measure.mjs';
import { tokenFor } from '../metadata-server.mjs';
import { PEERS, load } from '../peers/index.mjs';

const { native } = host;

/** Those that are in use at the end, out of all that there were. */
const IN_USE = 1_000;
/** More steps than it takes to get a token. */
const MAX_STEPS = 10;
const BYTES_PROGRAM = fileURLToPath(new URL('../programs/bytes.mjs', import.meta.url));
/** Tokens whose memory is measured. */
const REMEMBERED = 10_000;

export const jobs = [
  ...[10, 1_000, 100_000].map((count) => ({
    units: { [`G-${count}`]: 'op/s' },
    prepare: () => prepare(`G-${count}`, count),
  })),
  { units: { 'G-bytes': 'B' }, long: true, prepare: prepareBytes },
];

async function prepare(job, count) {
  // Signing a hundred thousand takes long enough with the faster algorithm.
  const material = new Material('ES256');
  const tokens = material.tokens(count);
  const peers = [];
  for (const name of ['gatepass', 'fast-jwt with its cache']) {
    const verify = (await load(name)).verifier(material.policy);
    for (const token of tokens) await verify(token);
    peers.push({ name, package: PEERS[name], rate: inUse(tokens, verify) });
  }
  return {
    peers: [...peers, audiences(count)].map(({ rate, ...peer }) => ({
      ...peer,
      measure: async (seconds) => ({ [job]: await rate(seconds) }),
    })),
  };
}

async function prepareBytes() {
  const material = new Material('ES256');
  const tokens = material.tokens(REMEMBERED);
  const input = JSON.stringify({ policy: material.policy, tokens });
  const sizes = tokens.map((token) => Buffer.from(token.split('.')[1], 'base64url').length);
  const claims = sizes.reduce((sum, size) => sum + size) / tokens.length;
  const peers = ['gatepass', 'fast-jwt with its cache'].map((name) => ({
    name,
    package: PEERS[name],
    measure: async () => ({ 'G-bytes': grown(name, input) / tokens.length }),
  }));
  // Theirs is the least that anybody who keeps them can take.
  const raw = { name: 'raw claims', package: 'gatepass', measure: async () => ({ 'G-bytes': claims }) };
  return { peers: [...peers, raw] };
}

/** Octets by which a process grows that verifies these tokens. */
function grown(peer, input) {
  const args = ['--expose-gc', BYTES_PROGRAM, peer];
  const child = spawnSync(process.execPath, args, { input, encoding: 'utf8', timeout: 60_000 });
  if (child.status !== 0) throw new Error(`${peer}: ${child.stderr}`);
  return Number(child.stdout);
}

function audiences(count) {
  const source = new native.Source(JSON.stringify({ seed: 1 }));
  const all = Array.from({ length: count }, (_, i) => `https://receiver-${i}.example`);
  const lookUp = (audience) => source.lookup('id_token', audience, Date.now(), performance.now());
  for (const audience of all) fly(lookUp(audience).op, audience);
  return { name: 'gatepass, audiences', package: 'gatepass', rate: inUse(all, lookUp) };
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
    const { step } = JSON.parse(op.resume(Date.now(), performance.now(), JSON.stringify(reply)));
    if (step === 'done') return;
    reply = replies[step] ?? { reply: 'failed', kind: 'not_found', message: 'there is none' };
  }
  throw new Error('no token came');
}

function inUse(all, call) {
  const last = all.slice(-IN_USE);
  return (seconds) => rate(seconds, () => last, call);
}
