/**
 * Carries operations to their ends. Nothing is decided here: the core says what to do, and the host's own steps do it.
 *
 * Steps and replies hold secrets: none of them is ever logged.
 */

import { errorFrom } from '../errors.js';
import { unsupported } from './step-failure.js';

/**
 * Drives `op` to its end and gives its output.
 *
 * The core gets two times: Unix time, which may be set, and `performance.now()`, which goes on steadily but may stop
 * while the machine is suspended. What has come by either of them has come.
 *
 * @param op the operation; the caller cancels it afterwards
 * @param {DriverHost} host
 * @param {AbortSignal} [signal] ends the step that is under way; its reason is thrown
 *
 * @typedef {object} DriverHost what steps need
 * @property {() => number} clock Unix time in milliseconds
 * @property {() => number} monotonic milliseconds of a clock that is never set
 * @property {{ body_bytes: number, stderr_bytes: number, looks: number }} limits the core's
 * @property {Map<string, Function>} suppliers the user's sources of subject tokens
 * @property {Steps} steps how this host carries them out
 *
 * @typedef {object} Steps
 * @property {Function} perform carries out a step and gives the reply
 * @property {Function} environment the reply to `read_env`
 * @property {Function} failureOf why a step could not be carried out
 */
export async function drive(op, host, signal) {
  const { perform, failureOf } = host.steps;
  let reply = { reply: 'start' };
  let failure;
  for (;;) {
    const step = next(op, host, reply);
    if (step.step === 'done') return step.output;
    if (step.step === 'fail') throw errorFrom(step.error, failure?.cause);
    try {
      signal?.throwIfAborted();
      reply = await perform(step, host, signal);
      failure = undefined;
    } catch (error) {
      signal?.throwIfAborted();
      failure = failureOf(step, error);
      reply = { reply: 'failed', kind: failure.kind, message: failure.message };
    }
  }
}

/** The same for an operation that asks for nothing that takes time. */
export function driveAtOnce(op, host) {
  const { environment } = host.steps;
  let reply = { reply: 'start' };
  for (;;) {
    const step = next(op, host, reply);
    if (step.step === 'done') return step.output;
    if (step.step === 'fail') throw errorFrom(step.error);
    const { kind, message } = unsupported(step);
    reply = step.step === 'read_env' ? environment(step) : { reply: 'failed', kind, message };
  }
}

/** The step after this reply. Both cross the border as JSON. */
function next(op, { clock, monotonic }, reply) {
  return JSON.parse(op.resume(clock(), monotonic(), JSON.stringify(reply)));
}
