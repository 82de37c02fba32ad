/** M: a process that loads a library, verifies one token and ends: its time, and the memory that it has then. */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { Material } from '../material.mjs';
import { PEERS } from '../peers/index.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/cold.mjs', import.meta.url));

export const jobs = [{ units: { 'M-start': 'ms', 'M-rss': 'MB' }, long: true, prepare }];

async function prepare() {
  const material = new Material('RS256');
  const input = JSON.stringify({ policy: material.policy, token: material.tokens(1)[0] });
  const all = [['empty process', 'node'], ...Object.entries(PEERS)];
  const peers = all.map(([name, library]) => ({
    name,
    package: library,
    measure: async () => runOnce(name, input),
  }));
  return { peers };
}

function runOnce(peer, input) {
  const begin = performance.now();
  const child = spawnSync(process.execPath, [PROGRAM, peer], { input, encoding: 'utf8', timeout: 60_000 });
  const milliseconds = performance.now() - begin;
  if (child.status !== 0) throw new Error(`${peer}: ${child.stderr}`);
  return { 'M-start': milliseconds, 'M-rss': Number(child.stdout) / 1e6 };
}
