/**
 * The digests of tokens that came again: to compute one takes longer than all else that is done for a token that is known.
 *
 * By a digest the core only looks; whether the token is still to be accepted it decides each time.
 */

/**
 * The bytes that one takes at most, for each token and each byte of its payload: measured with V8, and the token is there with
 * its header and a signature by a key of 4096 bits. There is one text for a token, whichever came last.
 */
export const DIGEST_COST = { token: 1100, byte: 2 };

export class Digests {
  /** A token, or a header with one in it → which of both it is, and the words of the token's digest. */
  #found = new Map();
  /** By place; without gaps, which would make it a slower kind of array. */
  #texts = [];
  #places;

  /** @param {number} places how many there are, a power of two */
  constructor(places) {
    this.#places = places;
  }

  /** The digest of a token in eight words, by itself or by the header with it; undefined where it is not known. */
  of(text, isHeader) {
    const found = this.#found.get(text);
    return found?.isHeader === isHeader ? found.words : undefined;
  }

  /**
   * Keeps the digest of a token that the core remembers by this entry. The low bits of an entry are a place, which the core
   * gives to another token only when it has forgotten this one: so this forgets with it, and has no bound of its own.
   */
  keep(text, isHeader, entry, words) {
    const place = entry & (this.#places - 1);
    while (this.#texts.length <= place) this.#texts.push(undefined);
    this.#found.delete(this.#texts[place]);
    this.#texts[place] = copyOf(text);
    this.#found.set(this.#texts[place], { isHeader, words: [...words] });
  }
}

/** The same text in memory of its own: a part of a string keeps the whole. */
function copyOf(text) {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
