/**
 * W: what it costs a hello service that its middleware verifies a token: the processor time that it takes for a request
 * beyond what the same service without takes, from the service's own account of it; how many requests there are in a
 * second; and within what time 99 of 100 are answered.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';

import { Material } from '../material.mjs';
import { PEERS } from '../peers/index.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/service.mjs', import.meta.url));
const FRAMEWORKS = ['express', 'fastify'];
const VERIFIERS = ['gatepass', 'google-auth-library', 'jose', 'fast-jwt with its cache'];
const CONNECTIONS = 16;
/** Enough for the compiler to have seen the hot paths. */
const WARM_UP_REQUESTS = 2_000;
/** How many requests a service answers in a round: so many times so many. */
const SHIFTS = 10;
const REQUESTS = 300;

export const jobs = [{ units: { W: 'us', 'W-rate': 'op/s', 'W-p99': 'ms' }, long: true, prepare }];

async function prepare() {
  const material = new Material('RS256');
  const [token] = material.tokens(1);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const children = [];
  const start = async (framework, verifier) => {
    const child = fork(PROGRAM, [framework, verifier]);
    children.push(child);
    child.send(material.policy);
    const [port] = await once(child, 'message');
    const options = { port, agent, headers: { authorization: `Bearer ${token}` } };
    await requests(WARM_UP_REQUESTS, options);
    return { child, options };
  };
  const peers = [];
  for (const framework of FRAMEWORKS) peers.push(...(await peersOf(framework, start)));
  const close = () => {
    agent.destroy();
    for (const child of children) child.disconnect();
  };
  return { peers, close };
}

async function peersOf(framework, start) {
  const bare = await start(framework, 'bare');
  const measureBare = async () => {
    const load = new Load();
    for (let shift = 0; shift < SHIFTS; shift++) await answer(bare, load);
    return load.figures();
  };
  const peers = [{ name: `${framework}, bare`, package: framework, measure: measureBare }];
  for (const verifier of VERIFIERS) {
    const service = await start(framework, verifier);
    // The two take turns many times: what else the machine does changes them more than a check may.
    const measure = async () => {
      const [without, load] = [new Load(), new Load()];
      for (let shift = 0; shift < SHIFTS; shift++) {
        await answer(bare, without);
        await answer(service, load);
      }
      return { W: load.cpuOfOne() - without.cpuOfOne(), ...load.figures() };
    };
    peers.push({ name: `${framework}, ${verifier}`, package: PEERS[verifier], measure });
  }
  return peers;
}

/** What requests have taken: microseconds of the service's processor time, milliseconds in all, and of each. */
class Load {
  cpu = 0;
  elapsed = 0;
  times = [];

  cpuOfOne() {
    return this.cpu / this.times.length;
  }

  figures() {
    const times = this.times.toSorted((a, b) => a - b);
    return {
      'W-rate': (1000 * times.length) / this.elapsed,
      'W-p99': times[Math.floor(times.length * 0.99)],
    };
  }
}

/** As many requests as there are in a shift. */
async function answer({ child, options }, load) {
  const [begin, cpu] = [performance.now(), await cpuOf(child)];
  load.times.push(...(await requests(REQUESTS, options)));
  load.elapsed += performance.now() - begin;
  load.cpu += (await cpuOf(child)) - cpu;
}

/** Microseconds of the service's processor time until now. */
async function cpuOf(child) {
  child.send('cpu');
  return (await once(child, 'message'))[0];
}

/** Makes so many requests, and gives the milliseconds that each has taken. */
async function requests(count, options) {
  const times = [];
  let left = count;
  const connection = async () => {
    while (left-- > 0) {
      const begin = performance.now();
      await hello(options);
      times.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return times;
}

async function hello(options) {
  const [response] = await once(get(options), 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`the service answered ${response.statusCode}`);
}
