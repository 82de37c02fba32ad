/** Keys and tokens, the same for all. The keys are made anew for each run and guard nothing. */

import { generateKeyPairSync, sign } from 'node:crypto';

const AN_HOUR = 3600;

/** The two issuers: of Google's ID tokens, and Identity-Aware Proxy. */
const ISSUERS = {
  RS256: {
    issuer: 'https://accounts.google.com',
    audience: 'https://receiver-abcdefghij-uc.a.run.app',
    preset: 'google',
    pair: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  },
  ES256: {
    issuer: 'https://cloud.google.com/iap',
    audience: '/projects/123456789012/global/backendServices/1234567890123456789',
    preset: 'iap',
    pair: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  },
};

/** What a receiver knows: plain data, so that it can be sent to threads and processes. */
export class Material {
  #privateKey;

  /** @param {'RS256' | 'ES256'} alg */
  constructor(alg) {
    const { issuer, audience, preset, pair } = ISSUERS[alg];
    const { privateKey, publicKey } = pair();
    const kid = 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334';
    this.#privateKey = privateKey;
    this.privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    this.policy = {
      alg,
      issuer,
      audience,
      preset,
      kid,
      publicPem: publicKey.export({ type: 'spki', format: 'pem' }),
      jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' }] },
    };
  }

  /** So many different tokens, each as long as Google's. */
  tokens(count) {
    return Array.from({ length: count }, (_, i) =>
      this.#token(String(100_000_000_000_000_000_000n + BigInt(i))),
    );
  }

  #token(sub) {
    const { alg, issuer: iss, audience: aud, kid } = this.policy;
    const iat = Math.floor(Date.now() / 1000);
    const email = 'caller-of-the-receiver@some-project-name.iam.gserviceaccount.com';
    const claims = { aud, azp: sub, email, email_verified: true, exp: iat + AN_HOUR, iat, iss, sub };
    const input = [{ alg, kid, typ: 'JWT' }, claims].map((part) => encoded(JSON.stringify(part))).join('.');
    const signature = sign('sha256', input, { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${encoded(signature)}`;
  }
}

function encoded(bytes) {
  return Buffer.from(bytes).toString('base64url');
}
