/** The types of arguments and options. What they mean is the core's to say. */

import { GatepassError } from './errors.js';

/** Type → whether a value is of it, and what it is called. */
const TYPES = {
  any: [() => true],
  string: [(value) => typeof value === 'string', 'of type string'],
  boolean: [(value) => typeof value === 'boolean', 'of type boolean'],
  number: [(value) => Number.isFinite(value), 'a finite number'],
  function: [(value) => typeof value === 'function', 'of type function'],
  object: [(value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'of type object'],
  strings: [
    (value) => [value].flat().every((one) => typeof one === 'string'),
    'a string or an array of strings',
  ],
  document: [(value) => typeof value === 'string' || TYPES.object[0](value), 'a string or an object'],
  url: [(value) => typeof value === 'string' || typeof value?.href === 'string', 'a string or a URL'],
  bytes: [(value) => ArrayBuffer.isView(value) && value.BYTES_PER_ELEMENT === 1, 'a Buffer or a Uint8Array'],
  signal: [(value) => typeof value?.throwIfAborted === 'function', 'an AbortSignal'],
};

/**
 * Refuses what is of another type, in Node's own words for it. The value itself is not shown: it may be a secret.
 *
 * @param {string} name of the argument
 * @param {keyof typeof TYPES} type
 * @returns the value
 */
export function typed(name, type, value) {
  const [isOfType, called] = TYPES[type];
  if (isOfType(value)) return value;
  const kind = name.includes('.') ? 'property' : 'argument';
  const error = new TypeError(`The "${name}" ${kind} must be ${called}. Received ${typeName(value)}`);
  throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

/**
 * Refuses an option that nobody knows, because one that is misspelt must not be as good as none, and a value of
 * another type. An option that is undefined is left out.
 *
 * @param {string} of whose options these are, for the message
 * @param {Record<string, keyof typeof TYPES>} types the options that there are
 * @returns the options
 */
export function checkOptions(of, options, types) {
  typed('options', 'object', options);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(types, name)) {
      throw new GatepassError({
        code: 'INVALID_OPTION',
        message: `${of} has no option ${quoted(name)}; it has ${Object.keys(types).join(', ')}`,
      });
    }
    if (value !== undefined) typed(`options.${name}`, types[name], value);
  }
  return options;
}

/** A name as a message may show it: one that is long was not meant as a name. */
function quoted(name) {
  return /^\w{1,40}$/.test(name) ? JSON.stringify(name) : `of ${name.length} characters`;
}

function typeName(value) {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value.then === 'function') return 'a promise: is an await missing?';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
