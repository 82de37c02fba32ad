/**
 * Signatures, by the Web Cryptography API: a core that is WebAssembly asks for them. Which algorithm, key and signature they
 * may be is decided already.
 */

import { StepFailure, unknownAlgorithm } from '../driver/step-failure.js';

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

/** Those of which a signature is checked with more than the key. */
const USED_WITH_MORE = new Set(['RSA-PSS', 'ECDSA']);

/** Key → checks a signature by it, with the key as the API has it. */
const ready = new WeakMap();

/** What a core that is WebAssembly asks. The API copies the bytes before it gives its promise. */
export function checkSignature({ key, data, signature }) {
  const check = ready.get(key);
  if (check !== undefined) return check(signature, data);
  // What is lent is gone by the time the key is there.
  const bytes = [signature.slice(), data.slice()];
  return checkBy(key).then((check) => check(...bytes));
}

async function checkBy(key) {
  const { algorithm, subtle } = means(key);
  const own = await subtle.importKey('jwk', JSON.parse(key.jwk), algorithm, false, ['verify']);
  // A name is read sooner than an object, and most algorithms have nothing else to say.
  const how = USED_WITH_MORE.has(algorithm.name) ? algorithm : algorithm.name;
  const check = (signature, data) => subtle.verify(how, own, signature, data);
  ready.set(key, check);
  return check;
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

/** The algorithm, and the API. */
function means({ alg }) {
  const algorithm = ALGORITHMS[alg];
  const subtle = globalThis.crypto?.subtle;
  if (algorithm === undefined) throw unknownAlgorithm(alg);
  if (subtle === undefined) {
    const found = 'there is no crypto.subtle here: pages have it only when they are served by https or from loopback';
    throw new StepFailure('unsupported', found);
  }
  return { algorithm, subtle };
}

function bytesOfBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
