/**
 * A real OpenID Connect issuer on the loopback interface, for the tests of every language: the package oidc-provider.
 *
 * Prints `{"issuer":…}` when it is ready. Then each line of standard input is a command, answered with one line:
 *
 *   token {"audience":…, "alg":"RS256"|"ES256"|"EdDSA"|"PS256"}   → {"token":…}, an ID token; RS256, if alg is left out
 *   rotate                                                        → {"rotated":true}; the old keys are gone
 *
 * What goes wrong is `{"error":…}`. Ends when standard input closes.
 */

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import Provider from 'oidc-provider';

/** Whom every token is about. */
const SUBJECT = 'person';
const EMAIL = 'person@issuer.example';
/** The person agrees on another device (OpenID Connect CIBA): the one flow that needs no browser. */
const GRANT = 'urn:openid:params:grant-type:ciba';
const SCOPE = 'openid email';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

// The library's advice for who runs it in production; some of it would come between the answers.
console.info = console.warn = () => {};

const server = createServer((req, res) => provider.callback()(req, res)).listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
let provider = providerWithFreshKeys();
answer({ issuer });

for await (const line of createInterface({ input: process.stdin })) {
  answer(await carryOut(line).catch((error) => ({ error: error.message })));
}
process.exit();

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function carryOut(line) {
  const [, command, argument] = /^(\w+)\s*(.*)$/.exec(line) ?? [];
  switch (command) {
    case 'token':
      return { token: await tokenFor(JSON.parse(argument)) };
    case 'rotate':
      provider = providerWithFreshKeys();
      return { rotated: true };
    default:
      throw new Error('expected token {"audience":…,"alg":…} or rotate');
  }
}

/** An ID token through the endpoints: a client is registered, a person is asked and agrees, the token is fetched. */
async function tokenFor({ audience, alg = 'RS256' }) {
  const client = await post('/reg', 'application/json', {
    client_name: audience,
    id_token_signed_response_alg: alg,
    grant_types: [GRANT],
    response_types: [],
    redirect_uris: [],
    backchannel_token_delivery_mode: 'poll',
    token_endpoint_auth_method: 'client_secret_post',
  });
  const { client_id, client_secret } = client;
  const form = 'application/x-www-form-urlencoded';
  const proof = { client_id, client_secret };
  const { auth_req_id } = await post('/backchannel', form, { ...proof, scope: SCOPE, login_hint: SUBJECT });
  const tokens = await post('/token', form, { ...proof, grant_type: GRANT, auth_req_id });
  return tokens.id_token;
}

async function post(path, type, body) {
  const response = await fetch(issuer + path, {
    method: 'POST',
    headers: { 'content-type': type },
    body: type.endsWith('json') ? JSON.stringify(body) : new URLSearchParams(body),
  });
  const answered = await response.json();
  if (!response.ok) throw new Error(`${path}: ${answered.error}: ${answered.error_description}`);
  return answered;
}

/** The same issuer, with keys that nobody has seen. */
function providerWithFreshKeys() {
  const pairs = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
  ];
  const fresh = new Provider(issuer, {
    jwks: { keys: pairs.map(({ privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), use: 'sig' })) },
    cookies: { keys: ['not a secret: no cookies are used'] },
    enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
    claims: { email: ['email', 'email_verified'] },
    // So that the e-mail is in the ID token, as it does in Google's.
    conformIdTokenClaims: false,
    findAccount: (_ctx, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: EMAIL, email_verified: true }),
    }),
    features: {
      devInteractions: { enabled: false },
      // The audience of an ID token is its client's id: a client is called what it wants to be.
      registration: { enabled: true, idFactory: (ctx) => ctx.oidc.body.client_name },
      ciba: {
        enabled: true,
        processLoginHint: (_ctx, hint) => hint,
        validateRequestContext: () => {},
        verifyUserCode: () => {},
        triggerAuthenticationDevice: agree,
      },
    },
  });
  return fresh.on('server_error', (_ctx, error) => console.error(error));
}

/** The person agrees. */
async function agree(ctx, request, account, client) {
  const grant = new ctx.oidc.provider.Grant({ accountId: account.accountId, clientId: client.clientId });
  grant.addOIDCScope(SCOPE);
  await grant.save();
  await ctx.oidc.provider.backchannelResult(request, grant);
}
