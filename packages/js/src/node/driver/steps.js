/** Steps in Node.js: environment, files, HTTP, programs, time. */

import { setTimeout as sleep } from 'node:timers/promises';

import { within } from '../../driver/abort.js';
import { StepFailure, unsupported } from '../../driver/step-failure.js';
import { supply } from '../../driver/supplier.js';
import { moduleFor } from './modules.js';
import { textOf, textOfFile } from './reading.js';

/** How steps are carried out here. */
export const steps = { perform, environment, failureOf };

async function perform(step, { limits, suppliers }, signal) {
  switch (step.step) {
    case 'read_env':
      return environment(step);
    case 'read_file': {
      const read = (limit) => textOfFile(step.path, limits.body_bytes, limit);
      return { reply: 'text', text: await within(step.timeout_ms, signal, read) };
    }
    case 'send':
      return await within(step.timeout_ms, signal, (limit) => send(step, limits, limit));
    case 'run': {
      const { run } = await import('./process.js');
      const end = await within(step.timeout_ms, signal, (limit) => run(step, limits, limit));
      return { reply: 'exited', ...end };
    }
    case 'supply': {
      const ask = (limit) => supply(step, suppliers, limit);
      return { reply: 'text', text: await within(step.timeout_ms, signal, ask) };
    }
    case 'sign': {
      const { makeSignature } = await import('./signatures.js');
      return makeSignature(step);
    }
    case 'wait':
      await sleep(step.delay_ms, undefined, { signal, ref: false });
      return { reply: 'elapsed' };
    default:
      throw unsupported(step);
  }
}

function environment({ names }) {
  const isSet = names.filter((name) => process.env[name] !== undefined);
  return { reply: 'env', values: Object.fromEntries(isSet.map((name) => [name, process.env[name]])) };
}

async function send(step, limits, signal) {
  const secureContext = await certificatesOf(step, limits, signal);
  const { place, options, headers } = await routeOf(step, secureContext, signal);
  const { request } = await moduleFor(place);
  const exchange = request(place, { method: step.method, secureContext, signal, ...options });
  const response = await new Promise((resolve, reject) => {
    exchange.on('response', resolve).on('error', reject);
    exchange.on('socket', (socket) => socket.unref());
    // Not with the options: Node prints those when NODE_DEBUG says so.
    for (const [name, value] of [...headers, ...step.headers]) exchange.setHeader(name, value);
    // An answer that switches protocols is neither of these.
    exchange.on('close', () => reject(new Error('the connection was closed without an answer')));
    exchange.end(step.body ?? undefined);
  });
  const { statusCode: status, rawHeaders } = response;
  const body = await textOf(response, limits.body_bytes);
  // Whatever may still come after 101 (Switching Protocols) is for nobody.
  if (status < 200) exchange.socket.destroy();
  return { reply: 'response', status, headers: pairs(rawHeaders), body };
}

/** Through the step's proxy, or straight, whatever agent is the global one: that may know a proxy of its own. */
async function routeOf({ url, proxy }, secureContext, signal) {
  if (proxy) {
    const { through } = await import('./proxy.js');
    return await through(proxy.url, url, secureContext, signal);
  }
  const { Agent } = await moduleFor(url);
  // A connection with certificates of its own is not kept for other requests.
  const agent = secureContext ? new Agent() : keeping(Agent);
  return { place: url, options: { agent }, headers: [] };
}

/** Class → the agent that keeps its connections; a connection that is kept keeps no process alive. */
const agents = new Map();

function keeping(Agent) {
  if (!agents.has(Agent)) agents.set(Agent, new Agent({ keepAlive: true, timeout: 5_000 }));
  return agents.get(Agent);
}

/** The TLS context of a request that brings certificates along. */
async function certificatesOf(step, limits, signal) {
  if (!step.client_certificate && !step.ca_certificate_path) return undefined;
  const { secureContextFor } = await import('./tls.js');
  return await secureContextFor(step, limits, signal);
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

/** Why Node.js does not trust a certificate (Node.js documentation, "X509 certificate error codes"). */
const untrusted = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function failureOf(step, error) {
  if (error instanceof StepFailure) return error;
  const ofSend = untrusted.has(error.code) ? 'untrusted_certificate' : 'connect';
  const kind = step.step === 'send' ? ofSend : (systemFailures[error.code] ?? 'other');
  return new StepFailure(kind, error.message || String(error.code));
}
