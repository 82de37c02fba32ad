/**
 * The digests of tokens that came again: to compute one takes longer than all else that is done for a token that is known.
 *
 * By a digest the core only looks; whether the token is still to be accepted it decides each time.
 */

/**
 * The bytes that one takes at most, for each token and each byte of its payload: measured with V8, and the token is there with
 * its header and a signature by a key of 4096 bits.
 */
export const DIGEST_COST = { token: 1100, byte: 2 };

export class Digests {
  /** Token → the words of its digest. */
  #words = new Map();
  /** By place; without gaps, which would make it a slower kind of array. */
  #tokens = [];
  #places;

  /** @param {number} places how many there are, a power of two */
  constructor(places) {
    this.#places = places;
  }

  /** The digest of a token in eight words; undefined where it is not known. */
  of(token) {
    return this.#words.get(token);
  }

  /**
   * Keeps the digest of a token that the core remembers by this entry. The low bits of an entry are a place, which the core
   * gives to another token only when it has forgotten this one: so this forgets with it, and has no bound of its own.
   */
  keep(token, entry, words) {
    const place = entry & (this.#places - 1);
    while (this.#tokens.length <= place) this.#tokens.push(undefined);
    this.#words.delete(this.#tokens[place]);
    this.#tokens[place] = copyOf(token);
    this.#words.set(this.#tokens[place], [...words]);
  }
}

/** The same text in memory of its own: a part of a string keeps the whole. */
function copyOf(text) {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
