/**
 * Checks of tokens that are not remembered: no JSON crosses the border, as each new token takes this way.
 *
 * @typedef {(question: { key: { alg: string, jwk: string }, data: Uint8Array, signature: Uint8Array }) =>
 *   boolean | Promise<boolean>} CheckSignature whether `signature` is the key's of `data`; it throws, or the promise is rejected,
 *   where the runtime cannot say, with the reason. The bytes are the module's own memory, lent for the call; the same key is
 *   the same object.
 */

import { Operation, UnderWay } from './operation.js';

/** What an instance of the module tells how a check goes, in the course of the call that goes on with it. */
export class Listener {
  #checkSignature;
  /** By number. */
  #keys = [];
  /** The verdict that was told, or the answer to come. */
  told;

  /** @param {CheckSignature} checkSignature */
  constructor(checkSignature) {
    this.#checkSignature = checkSignature;
  }

  isKey(number, alg, jwk) {
    this.#keys[number] = { alg, jwk };
  }

  asks(key, data, signature) {
    let answer;
    try {
      answer = this.#checkSignature({ key: this.#keys[key], data, signature });
    } catch (error) {
      // Not through the module, which would not notice.
      answer = error;
    }
    this.told = { status: 'check', answer };
  }

  accepts(payload, is_unverified, entry) {
    this.told = { status: 'accepted', payload, is_unverified, entry, op: undefined };
  }

  joins(flight) {
    this.told = { status: 'join', flight };
  }
}

/**
 * The verdict that a new check of the module's comes to at once, or the check, in the same place.
 *
 * @param {(entry: number) => void} keep is told when the token is remembered, by what entry
 * @param {(listener: Listener) => object} begin
 */
export function checked(instances, keep, begin) {
  const [told, rest] = heard(instances, begin);
  if (told.status === 'check') return { status: 'check', op: new Check(instances, keep, told.answer, rest) };
  return verdictOf(instances, keep, told, rest);
}

/** What was told in the course of a call, and what it gave. */
function heard({ listener }, call) {
  const rest = call(listener);
  const told = listener.told ?? { status: 'needs_keys' };
  listener.told = undefined;
  return [told, rest];
}

function verdictOf(instances, keep, verdict, op) {
  if (op !== undefined) verdict.op = new Operation(instances, () => op);
  if (verdict.status === 'accepted' && verdict.entry !== 0) keep(verdict.entry);
  return verdict;
}

/** The check of a token, which waits for what the runtime says of its signature. */
class Check extends UnderWay {
  #keep;
  #check;
  /** Whether the signature is valid, or why the runtime cannot say; or a promise of that, which is rejected with the reason. */
  asked;

  constructor(instances, keep, asked, check) {
    super(instances);
    this.#keep = keep;
    this.#check = check;
    this.asked = asked;
  }

  /** The verdict after this answer, or why there is none; undefined where another answer is to be waited for. */
  answer(answer, now, monotonic) {
    return this.goOn(() => {
      const [told, op] = heard(this.instances, (listener) =>
        typeof answer === 'boolean'
          ? this.#check.answer(answer, now, monotonic, listener)
          : this.#check.leaveOpen(reasonOf(answer), now, monotonic, listener),
      );
      if (told.status !== 'check') return verdictOf(this.instances, this.#keep, told, op);
      this.asked = told.answer;
      return undefined;
    }, failed);
  }

  cancel() {
    this.release(this.#check);
    this.#check = undefined;
  }
}

/** What the runtime says of why it cannot; it may be an error, or anything else that was thrown. */
function reasonOf(thrown) {
  return String(thrown?.message ?? thrown);
}

/** @param {string} failure JSON */
function failed(failure) {
  return { status: 'fail', error: JSON.parse(failure) };
}
