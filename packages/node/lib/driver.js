/**
 * Carries out what the add-on asks for: environment, files, HTTP, time. Nothing is decided here.
 *
 * Steps and replies hold secrets: none of them is ever logged.
 */

import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { errorFrom } from './errors.js';

/** The most octets of a file or a response body that are handed over. */
const BODY_LIMIT = 1024 * 1024;

/**
 * Drives `op` to its end and gives its token: null when it fetched keys.
 *
 * @param op the operation; the caller cancels it afterwards
 * @param clock gives the time in Unix milliseconds
 * @param {AbortSignal} [signal] ends the step that is under way; its reason is thrown
 */
export async function drive(op, clock, signal) {
  let reply = { reply: 'start' };
  for (;;) {
    const now = clock();
    const step = JSON.parse(op.resume(now, JSON.stringify(reply)));
    if (step.step === 'done') return step.token;
    if (step.step === 'fail') throw errorFrom(step.error);
    try {
      signal?.throwIfAborted();
      reply = await perform(step, now, signal);
    } catch (error) {
      signal?.throwIfAborted();
      reply = {
        reply: 'failed',
        kind: failureKind(step, error),
        message: error.message || String(error.code),
      };
    }
  }
}

async function perform(step, now, signal) {
  switch (step.step) {
    case 'read_env': {
      const isSet = step.names.filter((name) => process.env[name] !== undefined);
      return { reply: 'env', values: Object.fromEntries(isSet.map((name) => [name, process.env[name]])) };
    }
    case 'read_file':
      // `end` is the last octet's index: one more than the limit is enough to see that there are more.
      return { reply: 'text', text: await textOf(createReadStream(step.path, { end: BODY_LIMIT, signal })) };
    case 'send':
      return await send(step, signal);
    case 'wait':
      await sleep(step.until_ms - now, undefined, { signal });
      return { reply: 'elapsed' };
    default:
      throw new StepFailure('unsupported', `this package does not know the step ${step.step}`);
  }
}

async function send(step, signal) {
  if (step.client_certificate !== null) {
    throw new StepFailure('unsupported', 'this package presents no client certificate');
  }
  // Loaded when needed: either takes longer than all of this package, and most programs need one of them at most.
  const { request } = await import(step.url.startsWith('https:') ? 'node:https' : 'node:http');
  const exchange = request(step.url, {
    method: step.method,
    headers: Object.fromEntries(step.headers),
    // The global agent may know a proxy; an agent of the request's own does not.
    agent: step.route === 'direct' ? false : undefined,
    signal,
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    exchange.destroy();
  }, step.timeout_ms);
  try {
    const response = await new Promise((resolve, reject) => {
      exchange.on('response', resolve).on('error', reject);
      // An answer that switches protocols is neither of these.
      exchange.on('close', () => reject(new Error('the connection was closed without an answer')));
      exchange.end(step.body ?? undefined);
    });
    const { statusCode: status, rawHeaders } = response;
    return { reply: 'response', status, headers: pairs(rawHeaders), body: await textOf(response) };
  } catch (error) {
    throw isLate ? new StepFailure('timeout', `no whole answer within ${step.timeout_ms} ms`) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function textOf(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > BODY_LIMIT) throw new StepFailure('too_large', `more than ${BODY_LIMIT} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function pairs(flat) {
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []));
}

class StepFailure extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

const fileFailures = {
  ENOENT: 'not_found',
  ENOTDIR: 'not_found',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
};

function failureKind(step, error) {
  return error.kind ?? (step.step === 'send' ? 'connect' : (fileFailures[error.code] ?? 'other'));
}
