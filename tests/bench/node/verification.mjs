/** Verification by each peer of the same tokens. */

import { rate } from './measure.mjs';
import { PEERS, load } from './peers/index.mjs';

/** gatepass with tokens that it has never seen: each batch of them has a new verifier. */
const UNSEEN = 'gatepass, every token new';

/** As many as are verified between two looks at the clock. */
const BATCH = 1_000;

/** Who verifies these tokens → the package behind it. */
export function verifiersOf(tokens) {
  return tokens.length === 1 ? PEERS : { ...PEERS, [UNSEEN]: 'gatepass' };
}

/**
 * A function that measures, for so many seconds, how many tokens the peer verifies in one.
 *
 * A server makes a new string of each request's header, so every call gets a string of its own. They are made outside of
 * the time that counts, and so are the verifiers that have seen no token.
 */
export async function verification(peer, policy, tokens) {
  const isUnseen = peer === UNSEEN;
  const { verifier } = await load(isUnseen ? 'gatepass' : peer);
  const octets = Array.from({ length: BATCH }, (_, i) => Buffer.from(tokens[i % tokens.length]));
  let verify = verifier(policy);
  const prepare = () => {
    if (isUnseen) verify = verifier(policy);
    return octets.map((token) => token.latin1Slice());
  };
  return async (seconds) => await rate(seconds, prepare, (token) => verify(token));
}
