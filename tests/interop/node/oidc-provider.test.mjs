/** gatepass verifies the tokens of a real OpenID Connect issuer, which it knows by nothing but its URL. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Verifier } from 'gatepass';

const AUDIENCE = 'https://receiver.example';

let issuer;
let stranger;
before(async () => ([issuer, stranger] = await Promise.all([startIssuer(), startIssuer()])));
after(() => Promise.all([issuer?.stop(), stranger?.stop()]));

for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
  test(`${alg}: its token is accepted`, async () => {
    const token = await issuer.token({ audience: AUDIENCE, alg });
    const claims = await verifierOf({ allowedEmails: 'person@issuer.example' }).verify(token);
    assert.deepEqual([claims.iss, claims.aud, claims.sub], [issuer.url, AUDIENCE, 'person']);
    await verifierOf({ algorithms: alg }).verify(token);
  });
}

test('a token for somebody else is refused', async () => {
  const token = await issuer.token({ audience: 'https://other.example' });
  await assert.rejects(verifierOf().verify(token), { name: 'VerifyError', code: 'BAD_AUDIENCE' });
});

test('a token of somebody else is refused', async () => {
  const token = await stranger.token({ audience: AUDIENCE });
  await assert.rejects(verifierOf().verify(token), { code: 'UNKNOWN_KEY' });
  await assert.rejects(verifierOf({ keysUrl: `${stranger.url}/jwks` }).verify(token), { code: 'BAD_ISSUER' });
  assert.equal((await verifierOf({ issuers: stranger.url }).verify(token)).iss, stranger.url);
});

test('an algorithm that the receiver does not want is refused', async () => {
  const token = await issuer.token({ audience: AUDIENCE, alg: 'RS256' });
  await assert.rejects(verifierOf({ algorithms: ['ES256', 'PS256'] }).verify(token), {
    code: 'ALG_NOT_ALLOWED',
  });
});

test('the document must name the issuer exactly', async () => {
  const token = await issuer.token({ audience: AUDIENCE });
  await assert.rejects(verifierOf({ issuers: `${issuer.url}/` }).verify(token), {
    name: 'VerifyError',
    code: 'DISCOVERY_INVALID',
    message: /names another issuer/,
  });
});

test('a rotation of its keys: the new ones are fetched, the old ones forgotten', async () => {
  // With a clock of its own it shares no keys, nor the pause after an unknown one.
  const verifier = verifierOf({ clock: () => Date.now() });
  const known = await issuer.token({ audience: AUDIENCE });
  const unseen = await issuer.token({ audience: AUDIENCE });
  await verifier.verify(known);
  await issuer.rotate();
  const fresh = await issuer.token({ audience: AUDIENCE });
  assert.equal((await verifier.verify(fresh)).aud, AUDIENCE);
  for (const token of [known, unseen]) await assert.rejects(verifier.verify(token), { code: 'UNKNOWN_KEY' });
});

function verifierOf(options) {
  return new Verifier({ preset: 'oidc', issuers: issuer.url, audience: AUDIENCE, ...options });
}

async function startIssuer() {
  const program = fileURLToPath(new URL('oidc-provider.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await answers.next();
    if (done) throw new Error('the issuer has ended');
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  const ask = async (command) => {
    child.stdin.write(`${command}\n`);
    return await next();
  };
  const { issuer: url } = await next();
  return {
    url,
    token: async (order) => (await ask(`token ${JSON.stringify(order)}`)).token,
    rotate: async () => await ask('rotate'),
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
