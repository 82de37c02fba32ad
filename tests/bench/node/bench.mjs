/**
 * Measures gatepass for Node.js next to the libraries that a program would otherwise use.
 *
 *   node bench.mjs [--rounds 5] [--seconds 0.4] [--job V1,V2,…]
 *
 * A job is asked for by its name or its first letter and digit. Everybody takes a turn in each round, in no order, so that
 * whatever else the machine does hits all alike. Prints one line of JSON for each job and peer:
 *
 *   {"language":"node","job":"V1","peer":"gatepass","version":"0.1.0","unit":"op/s","rounds":[…]}
 */

import { parseArgs } from 'node:util';

import { jobs as cold } from './jobs/cold.mjs';
import { jobs as grpc } from './jobs/grpc.mjs';
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
/** Rounds of a job whose turns are long. */
const FEW_ROUNDS = 5;
/** Rounds for each that was asked for, of a job whose turns are short. */
const SHORT_ROUNDS = 10;
/** Longer than any turn, on a busy machine too: one that takes more hangs. */
const PATIENCE_MS = 120_000;

const jobs = [verify, threads, sign, header, cold, service, grpc, growth, herd].flat();
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

const chosen = jobs.filter(({ units }) => Object.keys(units).some(isWanted));
if (chosen.length === 0) {
  throw new Error(`no job is called so; there are ${jobs.flatMap(({ units }) => Object.keys(units))}`);
}
let status = 0;
for (const job of chosen) {
  try {
    await run(job);
  } catch (error) {
    console.error(error);
    status = 1;
  }
}
// What a job that failed has left behind must not keep this alive.
process.exit(status);

function isWanted(name) {
  return wanted.length === 0 || wanted.some((word) => name === word || name.startsWith(`${word}-`));
}

/**
 * @param job has the `units` of its figures by their names, and whether it is `long` or `short`; `prepare` gives the `peers`, each
 *   with the `package` whose version counts and with `measure`, which takes seconds and gives the figures by their names,
 *   undefined where this peer has none; and, if there is something to `close`, that
 */
async function run({ units, long, short, prepare }) {
  const { peers, close } = await soon(prepare());
  try {
    for (const { measure } of peers) await soon(measure(seconds * WARM_UP));
    const measured = new Map(peers.map((peer) => [peer, []]));
    const count = long ? Math.min(rounds, FEW_ROUNDS) : short ? rounds * SHORT_ROUNDS : rounds;
    for (let round = 0; round < count; round++) {
      for (const peer of shuffled(peers)) measured.get(peer).push(await soon(peer.measure(seconds)));
    }
    for (const [job, unit] of Object.entries(units).filter(([job]) => isWanted(job))) {
      for (const [peer, turns] of measured)
        print(
          job,
          unit,
          peer,
          turns.map((figures) => figures[job]),
        );
    }
  } finally {
    await close?.();
  }
}

function print(job, unit, peer, figures) {
  if (figures.includes(undefined)) return;
  const version = versionOf(peer.package);
  // Four digits are more than the machine's noise leaves.
  const rounds = figures.map((figure) => Number(figure.toPrecision(4)));
  console.log(JSON.stringify({ language: 'node', job, peer: peer.name, version, unit, rounds }));
}

function shuffled(list) {
  return list
    .map((one) => [Math.random(), one])
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

async function soon(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
