/** R: empty unary calls of gRPC over TLS whose token is at hand; both sides are in this process. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GatePass } from 'gatepass';
import { idTokenCredentials, requireIdToken } from 'gatepass/grpc';
import { GoogleAuth } from 'google-auth-library-9';

import { makeAuthority } from '../../../../packages/js/test/support/certificates.js';
import { Material } from '../material.mjs';
import { repeated } from '../measure.mjs';
import { startMetadataServer } from '../metadata-server.mjs';

// The copy that gatepass has in a checkout, so that there is one, as where it is installed.
const { Server, ServerCredentials, credentials, makeGenericClientConstructor } = createRequire(
  new URL('../../../../packages/js/package.json', import.meta.url),
)('@grpc/grpc-js');

const NOTHING = Buffer.alloc(0);
const same = (bytes) => bytes;
const METHOD = {
  path: '/bench.Empty/Call',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
const Client = makeGenericClientConstructor({ call: METHOD }, 'Empty');

export const jobs = [{ units: { R: 'op/s' }, prepare }];

async function prepare() {
  const material = new Material('RS256');
  const { audience, jwks } = material.policy;
  const [token] = material.tokens(1);
  const metadataServer = await startMetadataServer(() => token);
  const folder = mkdtempSync(join(tmpdir(), 'gatepass-bench-'));
  const authority = makeAuthority(folder, 'authority');
  const { cert_path, key_path } = authority.vouchFor('server');
  const [cert_chain, private_key] = [cert_path, key_path].map((path) => readFileSync(path));
  const tls = credentials.createSsl(readFileSync(authority.path));
  rmSync(folder, { recursive: true, force: true });

  const ours = idTokenCredentials(tls, { audience, gatepass: new GatePass() });
  const google = await new GoogleAuth().getIdTokenClient(audience);
  const googles = credentials.combineChannelCredentials(tls, credentials.createFromGoogleCredential(google));
  const servers = [];
  const peers = [];
  for (const [name, library, channelCredentials, interceptors] of [
    ['bare', 'node', tls, []],
    ['gatepass', 'gatepass', ours, []],
    ['gatepass, and its server', 'gatepass', ours, [requireIdToken({ audience, keys: jwks })]],
    ['createFromGoogleCredential', 'google-auth-library-9', googles, []],
  ]) {
    const server = new Server({ interceptors });
    server.addService({ call: METHOD }, { call: (_, callback) => callback(null, NOTHING) });
    const client = new Client(await started(server, { cert_chain, private_key }), channelCredentials);
    const call = () =>
      new Promise((resolve, reject) => {
        client.call(NOTHING, (error) => (error ? reject(error) : resolve()));
      });
    servers.push({ server, client });
    peers.push({
      name,
      package: library,
      measure: async (seconds) => ({ R: await repeated(seconds, call) }),
    });
  }
  return {
    peers,
    close: async () => {
      for (const { server, client } of servers) {
        client.close();
        server.forceShutdown();
      }
      await metadataServer.close();
    },
  };
}

/** Starts it, and gives the target. */
async function started(server, certificate) {
  const tls = ServerCredentials.createSsl(null, [certificate]);
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', tls, (error, port) => (error ? reject(error) : resolve(port)));
  });
  return `127.0.0.1:${port}`;
}
