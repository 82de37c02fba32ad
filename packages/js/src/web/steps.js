/**
 * Steps where there is nothing but the web's own interfaces: time, `fetch`, WebCrypto, and the environment where the runtime
 * gives one.
 */

import { within } from '../driver/abort.js';
import { StepFailure, unsupported } from '../driver/step-failure.js';
import { supply } from '../driver/supplier.js';
import { makeSignature } from './signatures.js';

/** How steps are carried out here. */
export const steps = { perform, environment, failureOf };

async function perform(step, { limits, suppliers }, signal) {
  switch (step.step) {
    case 'read_env':
      return environment(step);
    case 'send':
      return await within(step.timeout_ms, signal, (limit) => send(step, limits, limit));
    case 'supply': {
      const ask = (limit) => supply(step, suppliers, limit);
      return { reply: 'text', text: await within(step.timeout_ms, signal, ask) };
    }
    case 'sign':
      return await makeSignature(step);
    case 'wait':
      await sleep(step.delay_ms, signal);
      return { reply: 'elapsed' };
    case 'read_file':
      throw new StepFailure('not_found', 'there are no files here');
    default:
      throw unsupported(step);
  }
}

function environment({ names }) {
  // Cloudflare's workerd has it with `nodejs_compat`, bundlers put it in.
  const own = globalThis.process?.env ?? {};
  const isSet = names.filter((name) => typeof own[name] === 'string');
  return { reply: 'env', values: Object.fromEntries(isSet.map((name) => [name, own[name]])) };
}

/** How old an answer may be is for the core to say. Not every runtime has a cache, and some of these refuse the option. */
const UNCACHED = 'cache' in Request.prototype ? { cache: 'no-store' } : {};

async function send(step, limits, signal) {
  const { method, url, headers, body } = step;
  for (const member of ['proxy', 'client_certificate', 'ca_certificate_path']) {
    if (step[member]) throw new StepFailure('unsupported', `fetch takes no ${member.replaceAll('_', ' ')}`);
  }
  const response = await fetch(url, { method, headers, body, signal, redirect: 'manual', ...UNCACHED });
  if (response.type === 'opaqueredirect')
    throw new StepFailure('other', 'the browser does not show a redirect');
  const text = await textOf(response, limits.body_bytes);
  return { reply: 'response', status: response.status, headers: [...response.headers], body: text };
}

/** The text of a body of at most `limit` bytes. */
async function textOf({ body }, limit) {
  if (body === null) return '';
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let [text, size] = ['', 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new StepFailure('too_large', `more than ${limit} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

async function sleep(milliseconds, signal) {
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

function failureOf(step, error) {
  if (error instanceof StepFailure) return error;
  // The API of cryptography has errors that say no more than their names.
  return new StepFailure(step.step === 'send' ? 'connect' : 'other', error.message || error.name);
}
