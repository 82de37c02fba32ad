/**
 * R: empty unary calls of gRPC over TLS whose token is at hand, and the processor time that one takes in the process of
 * the client, and in that of the server.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { GatePass } from 'gatepass';
import { idTokenCredentials } from 'gatepass/grpc';
import { GoogleAuth } from 'google-auth-library-9';

import { makeAuthority } from '../../../../packages/js/test/support/certificates.js';
import { METHOD, Metadata, NOTHING, credentials, makeGenericClientConstructor } from '../empty-method.mjs';
import { Material } from '../material.mjs';
import { startMetadataServer } from '../metadata-server.mjs';

const PROGRAM = fileURLToPath(new URL('../programs/grpc.mjs', import.meta.url));
const Client = makeGenericClientConstructor({ call: METHOD }, 'Empty');
/** Enough for the compiler to have seen the hot paths. */
const WARM_UP_CALLS = 2_000;
/** Rounds are short, and many: what else the machine does changes a long one more than a token may. */
const CALLS = 200;

export const jobs = [{ units: { 'R-client': 'us', 'R-server': 'us' }, short: true, prepare }];

async function prepare() {
  const material = new Material('RS256');
  const { audience } = material.policy;
  const [token] = material.tokens(1);
  const metadataServer = await startMetadataServer(() => token);
  const { authority, certificate } = makeCertificate();
  const servers = fork(PROGRAM);
  servers.send({ policy: material.policy, certificate });
  const [targets] = await once(servers, 'message');

  const tls = credentials.createSsl(authority);
  const constant = new Metadata();
  constant.set('authorization', `Bearer ${token}`);
  const empty = credentials.createFromMetadataGenerator((_, callback) => callback(null, constant));
  const google = credentials.createFromGoogleCredential(await new GoogleAuth().getIdTokenClient(audience));
  const ours = idTokenCredentials(tls, { audience, gatepass: new GatePass() });
  const bare = new Metadata();
  const clients = [];
  const peers = [];
  for (const [name, library, server, channelCredentials, metadata] of [
    ['bare', 'node', 'bare', tls, bare],
    ['constant header', 'node', 'bare', tls, constant],
    ['empty credentials', 'node', 'bare', credentials.combineChannelCredentials(tls, empty), bare],
    ['empty interceptor', 'node', 'empty interceptor', tls, constant],
    ['gatepass', 'gatepass', 'bare', ours, bare],
    ['gatepass, its server', 'gatepass', 'gatepass', tls, constant],
    [
      'createFromGoogleCredential',
      'google-auth-library-9',
      'bare',
      credentials.combineChannelCredentials(tls, google),
      bare,
    ],
  ]) {
    const client = new Client(targets[server], channelCredentials);
    clients.push(client);
    const call = () =>
      new Promise((resolve, reject) => {
        client.call(NOTHING, metadata, (error) => (error ? reject(error) : resolve()));
      });
    for (let i = 0; i < WARM_UP_CALLS; i++) await call();
    peers.push({ name, package: library, measure: () => costOf(call, servers) });
  }
  return {
    peers,
    close: async () => {
      for (const client of clients) client.close();
      servers.disconnect();
      await metadataServer.close();
    },
  };
}

async function costOf(call, servers) {
  const before = await used(servers);
  for (let i = 0; i < CALLS; i++) await call();
  const after = await used(servers);
  const [client, server] = after.map((now, side) => (now - before[side]) / CALLS);
  return { 'R-client': client, 'R-server': server };
}

/** Microseconds of processor time that both processes have used so far. */
async function used(servers) {
  const { user, system } = process.cpuUsage();
  servers.send('used');
  return [user + system, (await once(servers, 'message'))[0]];
}

function makeCertificate() {
  const folder = mkdtempSync(join(tmpdir(), 'gatepass-bench-'));
  try {
    const made = makeAuthority(folder, 'authority');
    const { cert_path, key_path } = made.vouchFor('server');
    return {
      authority: readFileSync(made.path),
      certificate: { cert_chain: readFileSync(cert_path, 'utf8'), private_key: readFileSync(key_path, 'utf8') },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
