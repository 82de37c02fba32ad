/**
 * Signatures, by Node.js itself: a core that is WebAssembly asks for them. Which algorithm, key and signature they may be is
 * decided already.
 *
 * Not by WebCrypto, which takes twice as long for a single one.
 */

import { unknownAlgorithm } from '../../driver/step-failure.js';

/** `node:crypto`, loaded when it is first needed: not every program needs it, and it takes longer than all of this package. */
let loaded;
const crypto = () => (loaded ??= process.getBuiltinModule('node:crypto'));

const JOSE = () => ({ dsaEncoding: 'ieee-p1363' });
const PSS = ({ constants: { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } }) => ({
  padding: RSA_PKCS1_PSS_PADDING,
  saltLength: RSA_PSS_SALTLEN_DIGEST,
});

/** The name in JOSE (RFC 7518, section 3.1; RFC 8037, section 3.1) → the hash, and how the key is used. */
const ALGORITHMS = {
  RS256: ['sha256'],
  RS384: ['sha384'],
  RS512: ['sha512'],
  PS256: ['sha256', PSS],
  ES256: ['sha256', JOSE],
  ES384: ['sha384', JOSE],
  // Its hash is a part of it.
  EdDSA: [null],
};

/** Key → as Node.js has it. */
const ready = new WeakMap();

/** What a core that is WebAssembly asks, at once. */
export function checkSignature({ key, data, signature }) {
  const [hash, use] = algorithmOf(key);
  if (!ready.has(key)) {
    ready.set(key, crypto().createPublicKey({ key: JSON.parse(key.jwk), format: 'jwk' }));
  }
  return crypto().verify(hash, data, { key: ready.get(key), ...use }, signature);
}

/** Makes the signature of a step. The key is not kept: an account signs about once an hour for each audience. */
export function makeSignature(step) {
  const [hash, use] = algorithmOf(step);
  const key = crypto().createPrivateKey({ key: Buffer.from(step.key, 'base64'), format: 'der', type: 'pkcs8' });
  const signature = crypto().sign(hash, Buffer.from(step.data, 'base64'), { key, ...use });
  return { reply: 'signed', signature: signature.toString('base64') };
}

function algorithmOf({ alg }) {
  if (!Object.hasOwn(ALGORITHMS, alg)) throw unknownAlgorithm(alg);
  const [hash, use] = ALGORITHMS[alg];
  return [hash, use?.(crypto())];
}
