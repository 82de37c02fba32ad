/** The headers of a request, in whatever form they come. */

import { typed } from './arguments.js';

/**
 * All values of each of these headers: one string, the values separated by line feeds, which none can hold (RFC 9110,
 * section 5.5); undefined where there are none.
 *
 * @param {Headers | Map | object | Array} headers of the Fetch API, of Node, of an event of a serverless platform: names
 *   in any case, with one value or a list of them
 * @param {string[]} names in lower case
 */
export function valuesOf(headers, names) {
  const found = names.map(() => undefined);
  const add = (name, values) => {
    // The length is compared first because most headers are others.
    const index = names.findIndex((one) => one.length === name.length && one === name.toLowerCase());
    if (index === -1) return;
    for (const value of [values].flat()) {
      if (value === undefined || value === null) continue;
      found[index] = found[index] === undefined ? String(value) : `${found[index]}\n${value}`;
    }
  };
  if (typeof headers?.[Symbol.iterator] !== 'function') {
    typed('headers', 'object', headers);
    for (const name of Object.keys(headers)) add(name, headers[name]);
  } else {
    for (const [name, value] of pairs(headers)) add(String(name), value);
  }
  return found;
}

/**
 * The same for a request that a server of Node's has received. Of some headers it keeps only the first value in
 * `headers`; the others are in `rawHeaders`. Where a framework has set a header itself, that counts.
 */
export function receivedValuesOf({ headers, rawHeaders }, names) {
  const own = valuesOf(headers, names);
  const raw = valuesOf(rawHeaders ?? [], names);
  const isOf = (value, all) => all.includes(value) || all.join(', ') === value;
  return own.map((value, i) => (raw[i]?.includes('\n') && isOf(value, raw[i].split('\n')) ? raw[i] : value));
}

function pairs(headers) {
  if (!Array.isArray(headers) || typeof headers[0] !== 'string') return headers;
  // Name and value take turns, as in Node's `rawHeaders`.
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]]] : []));
}
