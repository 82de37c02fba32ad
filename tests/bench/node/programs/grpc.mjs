/** The servers of R: how each checks is its name. The policy and the certificate are the first message. */

import { once } from 'node:events';

import { requireIdToken } from 'gatepass/grpc';

import { METHOD, NOTHING, Server, ServerCredentials, ServerInterceptingCall } from '../empty-method.mjs';

const [{ policy, certificate }] = await once(process, 'message');
const identity = Object.fromEntries(
  Object.entries(certificate).map(([name, pem]) => [name, Buffer.from(pem)]),
);
const interceptors = {
  bare: [],
  'empty interceptor': [
    (_, call) =>
      new ServerInterceptingCall(call, {
        start: (next) => next({ onReceiveMetadata: (metadata, handOn) => handOn(metadata) }),
      }),
  ],
  gatepass: [requireIdToken({ audience: policy.audience, keys: policy.jwks })],
};
const targets = {};
for (const name of Object.keys(interceptors)) {
  const server = new Server({ interceptors: interceptors[name] });
  server.addService({ call: METHOD }, { call: (_, callback) => callback(null, NOTHING) });
  const tls = ServerCredentials.createSsl(null, [identity]);
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', tls, (error, port) => (error ? reject(error) : resolve(port)));
  });
  targets[name] = `127.0.0.1:${port}`;
}
process.send(targets);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send(user + system);
});
process.on('disconnect', () => process.exit());
