/**
 * Signatures, by the Web Cryptography API: a core that is WebAssembly asks for them. Which algorithm, key and signature they
 * may be is decided already.
 */

import { unsupported } from '../driver/step-failure.js';

const sha = (bits) => ({ hash: `SHA-${bits}` });
const pkcs1 = (bits) => ({ name: 'RSASSA-PKCS1-v1_5', ...sha(bits) });

/** The name in JOSE (RFC 7518, section 3.1; RFC 8037, section 3.1) → that of the API. */
const ALGORITHMS = {
  RS256: pkcs1(256),
  RS384: pkcs1(384),
  RS512: pkcs1(512),
  PS256: { name: 'RSA-PSS', ...sha(256), saltLength: 32 },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', ...sha(256) },
  ES384: { name: 'ECDSA', namedCurve: 'P-384', ...sha(384) },
  EdDSA: { name: 'Ed25519' },
};

/** Most keys that are kept ready: issuers have a few each. */
const MOST = 64;

/** Algorithm and JWK → a promise of the key as the API has it. */
const keys = new Map();

/** Checks the signature of a step; fails where the API cannot, which is not the token's fault. */
export async function checkSignature(step) {
  const { algorithm, subtle } = means(step);
  const [signature, data] = [bytesOfBase64Url(step.signature), new TextEncoder().encode(step.data)];
  const is_valid = await subtle.verify(algorithm, await keyOf(step, algorithm, subtle), signature, data);
  return { reply: 'checked', is_valid };
}

/** Makes the signature of a step. The key is not kept: an account signs about once an hour for each audience. */
export async function makeSignature(step) {
  const { algorithm, subtle } = means(step);
  const pkcs8 = bytesOfBase64(step.key);
  const key = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  pkcs8.fill(0);
  const signature = await subtle.sign(algorithm, key, bytesOfBase64(step.data));
  return { reply: 'signed', signature: btoa(String.fromCharCode(...new Uint8Array(signature))) };
}

/** The algorithm of a step, and the API, which pages have only that came by https or from loopback. */
function means(step) {
  const algorithm = ALGORITHMS[step.alg];
  const subtle = globalThis.crypto?.subtle;
  if (algorithm === undefined || subtle === undefined) throw unsupported(step);
  return { algorithm, subtle };
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
  return bytesOfBase64(text.replaceAll('-', '+').replaceAll('_', '/'));
}

function bytesOfBase64(text) {
  // Not `Uint8Array.from`, which takes as long as the check of a signature.
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
}
