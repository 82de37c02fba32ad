import { createSigner, createVerifier } from 'fast-jwt';

import { assertion } from './assertion.mjs';

export function verifier({ alg, audience, issuer, publicPem }, options) {
  return createVerifier({
    key: publicPem,
    algorithms: [alg],
    allowedAud: audience,
    allowedIss: issuer,
    ...options,
  });
}

export function signer({ privatePem, policy: { alg, kid } }) {
  const sign = createSigner({ key: privatePem, algorithm: alg, kid });
  return (audience) => sign(assertion(audience));
}
