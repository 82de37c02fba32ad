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
const REQUESTS = 3_000;

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
    return async () => await figuresOf(child, options);
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
  const measureBare = await start(framework, 'bare');
  let bareCpu;
  const bare = async () => {
    const { cpu, ...others } = await measureBare();
    // Those after it in the round are compared with this.
    bareCpu = cpu;
    return others;
  };
  const peers = [{ name: `${framework}, bare`, package: framework, measure: bare }];
  for (const verifier of VERIFIERS) {
    const measureOne = await start(framework, verifier);
    const measure = async () => {
      const { cpu, ...others } = await measureOne();
      return { W: cpu - bareCpu, ...others };
    };
    peers.push({ name: `${framework}, ${verifier}`, package: PEERS[verifier], measure });
  }
  return peers;
}

async function figuresOf(child, options) {
  const [begin, cpu] = [performance.now(), await cpuOf(child)];
  const times = await requests(REQUESTS, options);
  const seconds = (performance.now() - begin) / 1000;
  times.sort((a, b) => a - b);
  return {
    cpu: ((await cpuOf(child)) - cpu) / REQUESTS,
    'W-rate': REQUESTS / seconds,
    'W-p99': times[Math.floor(REQUESTS * 0.99)],
  };
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
