/**
 * Signatures, checked by Node.js itself: a core that is WebAssembly asks for them, because it is slower at it. Which algorithm,
 * key and signature they may be is decided already.
 *
 * Not by WebCrypto, which takes twice as long for a single one. Ed25519 is left to the core: of the signatures that nobody
 * makes by honest means, libraries accept different ones.
 */

import { constants, createPublicKey, verify } from 'node:crypto';

import { unsupported } from '../../driver/step-failure.js';

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const JOSE = { dsaEncoding: 'ieee-p1363' };

/** The name in JOSE (RFC 7518, section 3.1) → the hash, and how the key is used. */
const ALGORITHMS = {
  RS256: ['sha256', {}],
  RS384: ['sha384', {}],
  RS512: ['sha512', {}],
  PS256: ['sha256', PSS],
  ES256: ['sha256', JOSE],
  ES384: ['sha384', JOSE],
};

/** Most keys that are kept ready: issuers have a few each. */
const MOST = 64;

/** JWK → the key as Node.js has it. */
const keys = new Map();

/** Checks the signature of a step; fails where Node.js cannot, which is not the token's fault. */
export function checkSignature(step) {
  const { alg, key: jwk, data, signature } = step;
  if (!Object.hasOwn(ALGORITHMS, alg)) throw unsupported(step);
  const [hash, use] = ALGORITHMS[alg];
  const key = { key: keyOf(jwk), ...use };
  const is_valid = verify(hash, Buffer.from(data, 'latin1'), key, Buffer.from(signature, 'base64url'));
  return { reply: 'checked', is_valid };
}

function keyOf(jwk) {
  let key = keys.get(jwk);
  if (key === undefined) {
    key = createPublicKey({ key: JSON.parse(jwk), format: 'jwk' });
    if (keys.size >= MOST) keys.clear();
    keys.set(jwk, key);
  }
  return key;
}
