/** What is behind a verification, whoever does it, and what is in front of it. */

import { createPublicKey, verify } from 'node:crypto';

// The package hides the add-on.
import { host } from '../../../../packages/js/src/node/host.js';
import { rate, repeated } from '../measure.mjs';

const { native } = host;

/** The signature alone, by Node's own OpenSSL. */
export function rawSignature({ publicPem }, tokens) {
  const key = { key: createPublicKey(publicPem), dsaEncoding: 'ieee-p1363' };
  const parts = tokens.map((token) => {
    const dot = token.lastIndexOf('.');
    return [Buffer.from(token.slice(0, dot)), Buffer.from(token.slice(dot + 1), 'base64url')];
  });
  const check = ([input, signature]) => {
    if (!verify('sha256', input, key, signature)) throw new Error('the signature is not accepted');
  };
  return { name: 'raw node:crypto', package: 'node', rate: (seconds) => rate(seconds, () => parts, check) };
}

/** A call of one of the add-on's methods and back. */
export function crossing() {
  const op = native.ownAudiences();
  // It has no flight: there is nothing to do, and nothing to hand over.
  return { name: 'empty call', package: 'gatepass', rate: (seconds) => repeated(seconds, () => op.flight) };
}
