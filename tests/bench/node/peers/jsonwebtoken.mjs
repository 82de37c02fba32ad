import { createPrivateKey, createPublicKey } from 'node:crypto';

import jwt from 'jsonwebtoken';

import { assertion } from './assertion.mjs';

export function verifier({ alg, audience, issuer, publicPem }) {
  const key = createPublicKey(publicPem);
  return (token) => jwt.verify(token, key, { audience, issuer, algorithms: [alg] });
}

export function signer({ privatePem, policy: { alg, kid } }) {
  const key = createPrivateKey(privatePem);
  return (audience) => jwt.sign(assertion(audience), key, { algorithm: alg, keyid: kid });
}
