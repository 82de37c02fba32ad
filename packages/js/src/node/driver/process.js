/** Running a program: without a shell and with nothing to read. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

import { abortable } from '../../driver/abort.js';
import { headOf, textOf } from './reading.js';

/** Windows has no process groups: there the program is ended, but not what it has started itself. */
const HAS_GROUPS = process.platform !== 'win32';

/**
 * @param {{ argv: string[], env: [name: string, value: string][] }} step the program and its arguments, and what is
 *   added to this process's own environment
 * @param {{ body_bytes: number, stderr_bytes: number }} limits
 * @param {AbortSignal} signal ends the program and what it has started
 * @returns the exit status, and what the program wrote
 */
export async function run({ argv: [program, ...args], env }, { body_bytes, stderr_bytes }, signal) {
  const child = spawn(program, args, {
    env: { ...process.env, ...Object.fromEntries(env) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: HAS_GROUPS,
    windowsHide: true,
  });
  // In Bun the streams have none, and keep nothing alive.
  for (const one of [child, child.stdout, child.stderr]) one.unref?.();
  const end = () => kill(child);
  process.on('exit', end);
  try {
    const outputs = [textOf(child.stdout, body_bytes), headOf(child.stderr, stderr_bytes)];
    const [status, stdout, stderr] = await abortable(Promise.all([statusOf(child), ...outputs]), signal);
    return { status, stdout, stderr };
  } catch (error) {
    end();
    throw error;
  } finally {
    process.off('exit', end);
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
  // A process outside of the group may hold the other ends.
  child.stdout.destroy();
  child.stderr.destroy();
  // None, if the program was not started.
  if (child.pid === undefined) return;
  try {
    process.kill(HAS_GROUPS ? -child.pid : child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
