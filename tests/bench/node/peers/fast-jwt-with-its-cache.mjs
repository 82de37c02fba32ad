import { verifier as withoutCache } from './fast-jwt.mjs';

/** As many tokens as gatepass remembers. */
const SIZE = 16_384;

export function verifier(policy) {
  return withoutCache(policy, { cache: SIZE });
}
