/**
 * Signatures, checked by the Web Cryptography API. A core that is WebAssembly asks for them, because it is several times slower
 * itself; it has decided already which algorithm, key and signature they may be.
 */

import { unsupported } from './step-failure.js';

const sha = (bits) => ({ hash: `SHA-${bits}` });
const pkcs1 = (bits) => ({ name: 'RSASSA-PKCS1-v1_5', ...sha(bits) });

/** The name in JOSE (RFC 7518, section 3.1) → that of the API. Ed25519 is not everywhere yet. */
const ALGORITHMS = {
  RS256: pkcs1(256),
  RS384: pkcs1(384),
  RS512: pkcs1(512),
  PS256: { name: 'RSA-PSS', ...sha(256), saltLength: 32 },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', ...sha(256) },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', ...sha(384) },
};

/** Most keys that are kept ready: issuers have a few each. */
const MOST = 64;

/** Algorithm and JWK → a promise of the key as the API has it. */
const keys = new Map();

/** Checks the signature of a step; fails where the API cannot, which is not the token's fault. */
export async function checkSignature(step) {
  const algorithm = ALGORITHMS[step.alg];
  const subtle = globalThis.crypto?.subtle;
  if (algorithm === undefined || subtle === undefined) throw unsupported(step);
  const [signature, data] = [bytesOfBase64Url(step.signature), bytesOfAscii(step.data)];
  const is_valid = await subtle.verify(algorithm, await keyOf(step, algorithm, subtle), signature, data);
  return { reply: 'checked', is_valid };
}

function keyOf({ alg, key: jwk }, algorithm, subtle) {
  const name = `${alg} ${jwk}`;
  let key = keys.get(name);
  if (key === undefined) {
    key = subtle.importKey('jwk', JSON.parse(jwk), algorithm, false, ['verify']);
    if (keys.size >= MOST) keys.clear();
    keys.set(name, key);
  }
  return key;
}

function bytesOfBase64Url(text) {
  return bytesOfAscii(atob(text.replaceAll('-', '+').replaceAll('_', '/')));
}

function bytesOfAscii(text) {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
