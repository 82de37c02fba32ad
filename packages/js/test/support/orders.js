/** A service of gRPC with a method of each kind, which answers with its caller's e-mail as often as it was asked. */

import { readFileSync } from 'node:fs';

import {
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  makeGenericClientConstructor,
  status,
} from '@grpc/grpc-js';
import { claimsOf } from 'gatepass/grpc';

/** For tests elsewhere: what is below needs these of the same copy of grpc-js. */
export { credentials };

export const KINDS = ['unary', 'serverStream', 'clientStream', 'bidi'];
const SERVICES = ['shop.Orders', 'grpc.health.v1.Health'];

const handlersOf = (email) => ({
  unary: (call, callback) => callback(null, email(call)),
  serverStream(call) {
    for (let i = 0; i < Number(call.request); i++) call.write(email(call));
    call.end();
  },
  clientStream(call, callback) {
    const emails = [];
    call.on('data', () => emails.push(email(call))).on('end', () => callback(null, emails.join()));
  },
  bidi(call) {
    call.on('data', () => call.write(email(call))).on('end', () => call.end());
  },
});

/** Whose token the call has; `nobody` where it was let through without one. */
export function emailOf(call) {
  try {
    return claimsOf(call).email;
  } catch {
    return 'nobody';
  }
}

/** What each of two requests is answered with, as {@link call} gives it. */
export function answers(kind, email) {
  if (kind === 'unary') return [email];
  return kind === 'clientStream' ? [`${email},${email}`] : [email, email];
}

/**
 * Serves on free loopback ports until the test ends, over TLS by a certificate, and without.
 *
 * @param {{ interceptors?: object[], email?: (call) => string, certificate?: { cert_path: string, key_path: string },
 *   handlers?: object }} options
 * @returns {Promise<{ tls: string, plaintext: string }>} the targets
 */
export async function serveOrders(t, { interceptors = [], email = emailOf, certificate, handlers } = {}) {
  const server = new Server({ interceptors });
  for (const service of SERVICES)
    server.addService(definition(service), { ...handlersOf(email), ...handlers });
  t.after(() => server.forceShutdown());
  const bind = async (how) => {
    const bound = new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', how, (error, port) => (error ? reject(error) : resolve(port)));
    });
    return `127.0.0.1:${await bound}`;
  };
  const plaintext = await bind(ServerCredentials.createInsecure());
  if (certificate === undefined) return { plaintext };
  const [cert_chain, private_key] = [certificate.cert_path, certificate.key_path].map((path) =>
    readFileSync(path),
  );
  return { plaintext, tls: await bind(ServerCredentials.createSsl(null, [{ cert_chain, private_key }])) };
}

/** A client until the test ends. */
export function clientOf(t, target, channelCredentials = credentials.createInsecure(), options = {}) {
  const { service = SERVICES[0], ...others } = options;
  const Client = makeGenericClientConstructor(definition(service), service);
  const client = new Client(target, channelCredentials, others);
  t.after(() => client.close());
  return client;
}

/** Calls the method of this kind with two requests, or for two answers; gives the answers, or throws the status. */
export async function call(client, kind, metadata = {}, options = {}) {
  const { answers: found, ended } = begin(client, kind, metadata, options);
  await ended;
  return found;
}

/** The same for a caller who does something in between. */
export function begin(client, kind, metadata = {}, options = {}) {
  const found = [];
  let ended;
  const calling = (make) => {
    let call;
    const answered = new Promise((resolve, reject) => {
      call = make((error, answer) => {
        if (error) return reject(error);
        found.push(answer);
        resolve();
      });
      if (kind === 'unary' || kind === 'clientStream') return;
      call.on('data', (answer) => found.push(answer));
      call.on('error', reject).on('end', resolve);
    });
    ended = answered;
    return call;
  };
  const all = metadataOf(metadata);
  const made = {
    unary: () => calling((callback) => client.unary('2', all, options, callback)),
    serverStream: () => calling(() => client.serverStream('2', all, options)),
    clientStream: () => calling((callback) => client.clientStream(all, options, callback)),
    bidi: () => calling(() => client.bidi(all, options)),
  }[kind]();
  if (kind === 'clientStream' || kind === 'bidi') {
    made.write('1');
    made.write('2');
    made.end();
  }
  return { call: made, answers: found, ended };
}

function metadataOf(values) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) metadata.add(name, one);
  }
  return metadata;
}

function definition(service) {
  const text = { serialize: (value) => Buffer.from(String(value)), deserialize: String };
  const methods = KINDS.map((kind) => [
    kind,
    {
      path: `/${service}/${kind}`,
      requestStream: kind === 'clientStream' || kind === 'bidi',
      responseStream: kind === 'serverStream' || kind === 'bidi',
      requestSerialize: text.serialize,
      requestDeserialize: text.deserialize,
      responseSerialize: text.serialize,
      responseDeserialize: text.deserialize,
    },
  ]);
  return Object.fromEntries(methods);
}
