import { SignJWT, createLocalJWKSet, importPKCS8, jwtVerify } from 'jose';

import { assertion } from './assertion.mjs';

export function verifier({ alg, audience, issuer, jwks }) {
  const keys = createLocalJWKSet(jwks);
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, { audience, issuer, algorithms: [alg] });
    return payload;
  };
}

export function signer({ privatePem, policy: { alg, kid } }) {
  const importing = importPKCS8(privatePem, alg);
  return async (audience) => {
    const key = await importing;
    return await new SignJWT(assertion(audience)).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(key);
  };
}
