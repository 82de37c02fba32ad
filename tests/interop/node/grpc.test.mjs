/** Google's own call credentials for gRPC and gatepass: each side understands the other's. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';

import { idTokenCredentials, requireIdToken } from 'gatepass/grpc';
import { GoogleAuth, OAuth2Client } from 'google-auth-library';
import { GoogleAuth as GoogleAuth9 } from 'google-auth-library-9';

import { makeAuthority } from '../../../packages/js/test/support/certificates.js';
import {
  EMAIL,
  setEnvironment,
  startEmulator,
  temporaryFolder,
} from '../../../packages/js/test/support/emulator.js';
import {
  KINDS,
  answers,
  call,
  clientOf,
  credentials,
  serveOrders,
} from '../../../packages/js/test/support/orders.js';

const AUDIENCE = 'https://127.0.0.1';

const authority = makeAuthority(temporaryFolder({ after }), 'authority');
const certificate = authority.vouchFor('orders');
const tls = credentials.createSsl(readFileSync(authority.path));
let emulator;

before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());
beforeEach(() => setEnvironment(emulator.environment));

test('a server of gatepass’s accepts what createFromGoogleCredential sends', async (t) => {
  const client = await googleClient(t, new GoogleAuth9());
  for (const kind of KINDS) assert.deepEqual(await call(client, kind), answers(kind, EMAIL), kind);
});

test('with google-auth-library 10 createFromGoogleCredential sends nothing', async (t) => {
  // It takes what is `Headers` now for a plain object (grpc-node, issue 2993).
  const client = await googleClient(t, new GoogleAuth());
  await assert.rejects(call(client, 'unary'), { details: /^TOKEN_MISSING: / });
});

/** A client by Google's library of a server by gatepass. */
async function googleClient(t, auth) {
  const check = requireIdToken({
    audience: AUDIENCE,
    keysUrl: emulator.keysUrl,
    allowedEmails: EMAIL,
    onRefusal: () => {},
  });
  const { tls: target } = await serveOrders(t, { certificate, interceptors: [check] });
  const google = credentials.createFromGoogleCredential(await auth.getIdTokenClient(AUDIENCE));
  return clientOf(t, target, credentials.combineChannelCredentials(tls, google));
}

test('google-auth-library verifies what the calls of gatepass’s channels carry', async (t) => {
  let idToken;
  const email = ({ metadata }) => (idToken = metadata.get('authorization')[0].replace('Bearer ', ''));
  const { tls: target } = await serveOrders(t, { certificate, email });
  await call(clientOf(t, target, idTokenCredentials(tls)), 'unary');
  const endpoints = { oauth2FederatedSignonPemCertsUrl: `${emulator.url}/oauth2/v1/certs` };
  const ticket = await new OAuth2Client({ endpoints }).verifyIdToken({ idToken, audience: AUDIENCE });
  assert.equal(ticket.getPayload().email, EMAIL);
});
