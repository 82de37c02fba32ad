/**
 * Serves the bookstore behind the interceptor, as tests/e2e/grpc/README.md says.
 *
 * Environment: PORT (without it, or 0, a free one), AUDIENCE, KEYS_URL, ALLOWED_EMAILS (optional, separated by commas),
 * TLS_CERTIFICATE and TLS_KEY. Prints `listening <port>` when it is ready, and ends when its standard input closes.
 */

import { readFileSync } from 'node:fs';

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { claimsOf, requireIdToken } from 'gatepass/grpc';

import { Bookstore } from './bookstore.mjs';

const { PORT = '0', AUDIENCE, KEYS_URL, ALLOWED_EMAILS, TLS_CERTIFICATE, TLS_KEY } = process.env;

const check = requireIdToken({
  audience: AUDIENCE,
  keysUrl: KEYS_URL,
  allowedEmails: ALLOWED_EMAILS?.split(','),
  onRefusal: ({ code }) => console.error(`refused ${code}`),
});
const server = new Server({ interceptors: [check] });
server.addService(Bookstore.service, {
  GetBook: (call, callback) => callback(null, answer(call)),
  ListBooks(call) {
    for (let number = 0; number < call.request.count; number++) call.write(answer(call));
    call.end();
  },
  AddBooks: (call, callback) => call.on('data', () => {}).on('end', () => callback(null, answer(call))),
  Discuss: (call) => call.on('data', () => call.write(answer(call))).on('end', () => call.end()),
});

function answer(call) {
  const { email, exp } = claimsOf(call);
  return { caller_email: email, token_millis_left: exp * 1000 - Date.now() };
}

const [cert_chain, private_key] = [TLS_CERTIFICATE, TLS_KEY].map((path) => readFileSync(path));
const credentials = ServerCredentials.createSsl(null, [{ cert_chain, private_key }]);
server.bindAsync(`127.0.0.1:${PORT}`, credentials, (error, port) => {
  if (error) throw error;
  console.log(`listening ${port}`);
});

process.stdin.resume().once('close', () => process.exit());
