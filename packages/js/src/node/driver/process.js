/** Running a program: without a shell and with nothing to read. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { abortable } from './abort.js';
import { textOf } from './reading.js';

/** Windows has no process groups: there the program is ended, but not what it has started itself. */
const HAS_GROUPS = process.platform !== 'win32';

/**
 * @param {string[]} argv the program and its arguments
 * @param {[name: string, value: string][]} env what is added to this process's own environment
 * @param {AbortSignal} signal ends the program and what it has started
 * @returns the exit status, and what the program wrote to standard output
 */
export async function run([program, ...args], env, signal) {
  const child = spawn(program, args, {
    env: { ...process.env, ...Object.fromEntries(env) },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: HAS_GROUPS,
    windowsHide: true,
  });
  try {
    const ended = Promise.all([statusOf(child), textOf(child.stdout)]);
    const [status, stdout] = await abortable(ended, signal);
    return { status, stdout };
  } catch (error) {
    kill(child);
    throw error;
  }
}

/** The exit status; for a signal, what a shell gives. */
async function statusOf(child) {
  return await new Promise((resolve, reject) => {
    child.on('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]));
    child.on('error', reject);
  });
}

function kill(child) {
  // A process outside of the group may hold the other end.
  child.stdout.destroy();
  // None, if the program was not started.
  if (child.pid === undefined) return;
  try {
    process.kill(HAS_GROUPS ? -child.pid : child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
