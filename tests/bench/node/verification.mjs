/** Verification by each peer of the same tokens. */

import { rate } from './measure.mjs';
import { PEERS, load } from './peers/index.mjs';

/** gatepass with tokens that it has never seen: each turn of them has a new verifier. */
const UNSEEN = 'gatepass, every token new';

/** Strings that are made at a time: few enough to be in the processor's cache, as a header is that has just come. */
const BATCH = 100;
/** Tokens after which a verifier that is to know none of them is a new one. */
const TURN = 1_000;

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
  const held = Array.from({ length: TURN }, (_, i) => Buffer.from(tokens[i % tokens.length]));
  let verify = verifier(policy);
  let next = 0;
  const prepare = () => {
    if (isUnseen && next === 0) verify = verifier(policy);
    const batch = held.slice(next, next + BATCH).map((token) => token.latin1Slice());
    next = (next + BATCH) % TURN;
    return batch;
  };
  return async (seconds) => await rate(seconds, prepare, (token) => verify(token));
}
