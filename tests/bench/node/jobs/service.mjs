/** W: what a request costs a hello service whose middleware verifies a token, and one that does not. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { fileURLToPath } from 'node:url';

import { Material } from '../material.mjs';
import { PEERS } from '../peers/index.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/service.mjs', import.meta.url));
const CONNECTIONS = 16;
/** Enough for the compiler to have seen the hot paths. */
const WARM_UP_REQUESTS = 2_000;

export const jobs = [{ name: 'W', unit: 'us', prepare }];

async function prepare() {
  const material = new Material('RS256');
  const [token] = material.tokens(1);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const children = [];
  const peers = [];
  for (const framework of ['express', 'fastify']) {
    for (const [peer, library] of [['nobody', framework], ...Object.entries(PEERS)]) {
      const child = fork(PROGRAM, [framework, peer]);
      children.push(child);
      child.send(material.policy);
      const [port] = await once(child, 'message');
      const options = { port, agent, headers: { authorization: `Bearer ${token}` } };
      const name = `${framework}, ${peer}`;
      peers.push({ name, package: library, measure: (seconds) => cpuPerRequest(child, options, seconds) });
      await requests(options, (done) => done < WARM_UP_REQUESTS);
    }
  }
  const close = () => {
    agent.destroy();
    for (const child of children) child.disconnect();
  };
  return { peers, close };
}

/** Microseconds of the service's processor time. */
async function cpuPerRequest(child, options, seconds) {
  const begin = await cpuOf(child);
  const end = performance.now() + seconds * 1000;
  const count = await requests(options, () => performance.now() < end);
  return ((await cpuOf(child)) - begin) / count;
}

async function cpuOf(child) {
  child.send('cpu');
  return (await once(child, 'message'))[0];
}

/** Makes requests as long as there are to be more, and says how many. */
async function requests(options, isToGoOn) {
  let done = 0;
  const connection = async () => {
    for (; isToGoOn(done); done++) await hello(options);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return done;
}

async function hello(options) {
  const [response] = await once(get(options), 'response');
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`the service answered ${response.statusCode}`);
}
