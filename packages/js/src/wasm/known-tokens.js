/**
 * The names of tokens that the core remembers: a number stands for each, so that it is neither handed over nor hashed when it
 * comes again, which would take longer than all else that is done for it.
 *
 * By a name the core only looks; whether the token is still to be accepted it decides each time.
 */

/**
 * The bytes that one takes at most, for each token and each byte of its payload: measured with V8, and the token is there with
 * its header and a signature by a key of 4096 bits. There is one text for a token, alone or in a header.
 */
export const KNOWN_COST = { token: 1100, byte: 2 };

/** So many letters of a signature are like those of no other, and take less time to look for than the whole token. */
const TAIL = 32;

export class KnownTokens {
  /** The end of a token → the token, the header that it came in last, its name, its place. */
  #byTail = new Map();
  /** By place; without gaps, which would make it a slower kind of array. */
  #tails = [];
  #places;
  #names = 0;

  /** @param {number} places how many there are, a power of two */
  constructor(places) {
    this.#places = places;
  }

  /** A name that no token has. */
  newName() {
    return (this.#names += 1);
  }

  /** The name of a token; undefined where it has none. */
  nameOf(token) {
    const known = this.#byTail.get(tailOf(token));
    return known?.token === token ? known.name : undefined;
  }

  /** The name of the token that came in this header; undefined where it is not known by that. */
  nameOfHeader(header) {
    const known = this.#byTail.get(tailOf(header));
    return known?.header === header ? known.name : undefined;
  }

  /**
   * Keeps the name of a token that the core remembers by this entry. The low bits of an entry are a place, which the core
   * gives to another token only when it has forgotten this one: so this forgets with it, and has no bound of its own.
   *
   * @param {string} [header] what the token is the end of, where it came in one
   */
  keep(token, header, entry, name) {
    const place = entry & (this.#places - 1);
    while (this.#tails.length <= place) this.#tails.push(undefined);
    const before = this.#byTail.get(this.#tails[place]);
    if (before?.place === place) this.#byTail.delete(this.#tails[place]);
    // In memory of its own, as a part of a string keeps the whole: what is cut off of it here takes none.
    const text = ` ${header ?? token}`.slice(1);
    const known = { token: text.slice(-token.length), header: header && text, name, place };
    this.#tails[place] = tailOf(text);
    this.#byTail.set(this.#tails[place], known);
  }
}

function tailOf(text) {
  return text.slice(-TAIL);
}
