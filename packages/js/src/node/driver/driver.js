/**
 * Carries out what the add-on asks for: environment, files, HTTP, time. Nothing is decided here.
 *
 * Steps and replies hold secrets: none of them is ever logged.
 */

import { setTimeout as sleep } from 'node:timers/promises';

import { within } from './abort.js';
import { errorFrom } from '../../errors.js';
import { textOf, textOfFile } from './reading.js';
import { StepFailure } from './step-failure.js';
import { supply } from './supplier.js';

/**
 * Drives `op` to its end and gives its token: null when it fetched keys.
 *
 * @param op the operation; the caller cancels it afterwards
 * @param {{ clock: () => number, suppliers: Map<string, Function> }} host what the user has given: the time in Unix
 *   milliseconds, and the sources of subject tokens
 * @param {AbortSignal} [signal] ends the step that is under way; its reason is thrown
 */
export async function drive(op, { clock, suppliers }, signal) {
  let reply = { reply: 'start' };
  let failure;
  for (;;) {
    const now = clock();
    const step = JSON.parse(op.resume(now, JSON.stringify(reply)));
    if (step.step === 'done') return step.output;
    if (step.step === 'fail') throw errorFrom(step.error, failure?.cause);
    try {
      signal?.throwIfAborted();
      reply = await perform(step, now, suppliers, signal);
      failure = undefined;
    } catch (error) {
      signal?.throwIfAborted();
      failure = failureOf(step, error);
      reply = { reply: 'failed', kind: failure.kind, message: failure.message };
    }
  }
}

async function perform(step, now, suppliers, signal) {
  switch (step.step) {
    case 'read_env': {
      const isSet = step.names.filter((name) => process.env[name] !== undefined);
      return { reply: 'env', values: Object.fromEntries(isSet.map((name) => [name, process.env[name]])) };
    }
    case 'read_file':
      return { reply: 'text', text: await textOfFile(step.path, signal) };
    case 'send':
      return await within(step.timeout_ms, signal, (limit) => send(step, limit));
    case 'run': {
      const { run } = await import('./process.js');
      const end = await within(step.timeout_ms, signal, (limit) => run(step.argv, step.env, limit));
      return { reply: 'exited', ...end };
    }
    case 'supply':
      return { reply: 'text', text: await supply(step, suppliers, signal) };
    case 'wait':
      await sleep(step.delay_ms, undefined, { signal });
      return { reply: 'elapsed' };
    default:
      throw new StepFailure('unsupported', `this package does not know the step ${step.step}`);
  }
}

async function send(step, signal) {
  // Loaded when needed: either takes longer than all of this package, and most programs need one of them at most.
  const { request } = await import(step.url.startsWith('https:') ? 'node:https' : 'node:http');
  const secureContext = await certificatesOf(step, signal);
  const exchange = request(step.url, {
    method: step.method,
    // The global agent may know a proxy; an agent of the request's own does not. Nor does it keep the connection for
    // requests with other certificates.
    agent: step.route === 'direct' || secureContext ? false : undefined,
    secureContext,
    signal,
  });
  const response = await new Promise((resolve, reject) => {
    exchange.on('response', resolve).on('error', reject);
    // Not with the options: Node prints those when NODE_DEBUG says so.
    for (const [name, value] of step.headers) exchange.setHeader(name, value);
    // An answer that switches protocols is neither of these.
    exchange.on('close', () => reject(new Error('the connection was closed without an answer')));
    exchange.end(step.body ?? undefined);
  });
  const { statusCode: status, rawHeaders } = response;
  return { reply: 'response', status, headers: pairs(rawHeaders), body: await textOf(response) };
}

/** The TLS context of a request that brings certificates along. */
async function certificatesOf(step, signal) {
  if (!step.client_certificate && !step.ca_certificate_path) return undefined;
  const { secureContextFor } = await import('./tls.js');
  return await secureContextFor(step, signal);
}

function pairs(flat) {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []));
}

const systemFailures = {
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
};

function failureOf(step, error) {
  if (error instanceof StepFailure) return error;
  const kind = step.step === 'send' ? 'connect' : (systemFailures[error.code] ?? 'other');
  return new StepFailure(kind, error.message || String(error.code));
}
