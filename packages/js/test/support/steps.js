/** Steps by themselves: carried out by the real driver, asked for by a script instead of the add-on. */

import assert from 'node:assert/strict';

import { awaited } from '../../src/driver/abort.js';
import { drive } from '../../src/driver/driver.js';
import { steps } from '../../src/node/driver/steps.js';
import { host } from '../../src/node/host.js';

/** What is said in answer to `step`. */
export async function replyTo(step, { suppliers = {}, signal } = {}) {
  const { clock, monotonic, limits } = host;
  const given = { clock, monotonic, limits, steps, suppliers: new Map(Object.entries(suppliers)) };
  return await awaited(drive(scripted({ timeout_ms: 10_000, ...step }), given, signal));
}

/** Sees that `step` fails with `kind`, and gives the whole answer. */
export async function assertFails(step, kind, options) {
  const reply = await replyTo(step, options);
  assert.deepEqual({ reply: reply.reply, kind: reply.kind }, { reply: 'failed', kind }, reply.message);
  return reply;
}

/** The step that sends a request; what is left out is the most plain. */
export function sending(request) {
  return {
    step: 'send',
    method: 'GET',
    headers: [],
    body: null,
    timeout_ms: 10_000,
    proxy: null,
    client_certificate: null,
    ...request,
  };
}

/** The step that runs a program; the same. */
export function running(argv, step) {
  return { step: 'run', argv, env: [], timeout_ms: 10_000, ...step };
}

/** An operation that asks for `step` and ends with whatever the reply is. */
function scripted(step) {
  return {
    resume(_now, _monotonic, text) {
      const reply = JSON.parse(text);
      return JSON.stringify(reply.reply === 'start' ? step : { step: 'done', output: reply });
    },
  };
}
