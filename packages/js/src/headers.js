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
  if (typeof headers?.[Symbol.iterator] === 'function') {
    for (const [name, value] of pairs(headers)) add(found, names, String(name), value);
  } else {
    typed('headers', 'object', headers);
    for (const name of Object.keys(headers)) add(found, names, name, headers[name]);
  }
  return found;
}

/** The values of one header in that form. */
export function linesOf(values) {
  return values.length === 0 ? undefined : values.join('\n');
}

/** Adds the values of one header, if it is one of these names. */
function add(found, names, name, value) {
  for (let i = 0; i < names.length; i++) {
    // Most headers are others, and most names are in lower case.
    if (names[i].length !== name.length) continue;
    if (names[i] !== name && names[i] !== name.toLowerCase()) continue;
    if (typeof value === 'string' && found[i] === undefined) found[i] = value;
    else for (const one of [value].flat()) found[i] = joined(found[i], one);
  }
}

function joined(values, value) {
  if (value === undefined || value === null) return values;
  return values === undefined ? String(value) : `${values}\n${value}`;
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
