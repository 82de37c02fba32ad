/**
 * Measures gatepass for Node.js beside the libraries that a program would otherwise use.
 *
 *   node bench.mjs [--rounds 5] [--seconds 0.4] [--job V1,V2,…]
 *
 * A job is asked for by its name or its first letter and digit. Everybody takes a turn in each round, so that whatever
 * else the machine does hits all alike. Prints one line of JSON for each job and peer:
 *
 *   {"language":"node","job":"V1","peer":"gatepass","version":"0.1.0","unit":"op/s","rounds":[…]}
 */

import { parseArgs } from 'node:util';

import { jobs as cold } from './jobs/cold.mjs';
import { jobs as growth } from './jobs/growth.mjs';
import { jobs as header } from './jobs/header.mjs';
import { jobs as herd } from './jobs/herd.mjs';
import { jobs as service } from './jobs/service.mjs';
import { jobs as sign } from './jobs/sign.mjs';
import { jobs as threads } from './jobs/threads.mjs';
import { jobs as verify } from './jobs/verify.mjs';
import { versionOf } from './peers/index.mjs';

/** A turn to get warm takes this part of a real one. */
const WARM_UP = 0.25;

const jobs = [verify, threads, sign, header, cold, service, growth, herd].flat();
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.4' },
    job: { type: 'string', default: '' },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const wanted = values.job.split(',').filter(Boolean);
if (!(rounds >= 1 && seconds > 0)) throw new Error('expected --rounds of at least 1 and --seconds above 0');

const chosen = jobs.filter(({ name }) => wanted.length === 0 || wanted.some((word) => isCalled(name, word)));
if (chosen.length === 0) throw new Error(`no job is called so; there are ${jobs.map(({ name }) => name)}`);
for (const job of chosen) await run(job);

function isCalled(name, word) {
  return name === word || name.startsWith(`${word}-`);
}

/**
 * @param job `prepare` gives the `peers`, each with the `package` whose version counts and with `measure`, which takes
 *   seconds and gives a number of the `unit`; and, if there is something to `close`, that
 */
async function run({ name, unit, prepare }) {
  const { peers, close } = await prepare();
  try {
    for (const { measure } of peers) await measure(seconds * WARM_UP);
    const measured = new Map(peers.map((peer) => [peer, []]));
    for (let round = 0; round < rounds; round++) {
      for (const peer of peers) measured.get(peer).push(rounded(await peer.measure(seconds)));
    }
    for (const [peer, figures] of measured) {
      const version = versionOf(peer.package);
      const line = { language: 'node', job: name, peer: peer.name, version, unit, rounds: figures };
      console.log(JSON.stringify(line));
    }
  } finally {
    await close?.();
  }
}

/** Four digits are more than the machine's noise leaves. */
function rounded(figure) {
  return Number(figure.toPrecision(4));
}
