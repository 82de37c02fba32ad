/** What must not be shown, and what is shown. */

import { inspect } from 'node:util';

/** The shortest text that is looked for; shorter ones are in any message by chance. */
const SHORTEST = 16;
/** Members of files and bodies that an error may well name, in addition to URLs. */
const OPEN = [
  'audience',
  'client_email',
  'client_id',
  'code',
  'command',
  'error',
  'error_description',
  'file',
  'gatepass_emulator',
  'issued_token_type',
  'message',
  'project_id',
  'resource',
  'scope',
  'status',
  'subject_token_type',
  'token_type',
  'type',
  'universe_domain',
];

/** All that a log, a debugger's console or an error reporter may show of an object: an error with its causes, too. */
export function shownBy(object) {
  return [
    inspect(object, { showHidden: true, depth: Infinity, getters: true }),
    String(object),
    String(object.stack),
    JSON.stringify(object),
    JSON.stringify(Object.getOwnPropertyDescriptors(object)),
  ].join('\n');
}

/**
 * The secrets in a reply to the core: of the environment what is called so, of all else whatever is long; but of a refusal in
 * plain words, which are shown, the tokens that it repeats.
 */
export function secretsOf({ values = {}, text, body, stdout, status = 200 }) {
  const environment = Object.entries(values).filter(([name]) => /SECRET|TOKEN(?!_HOST|_FILE)/.test(name));
  const isInWords = status >= 400 && typeof parsed(body) === 'string';
  const received = isInWords ? (body.match(/(?:eyJ|ya29\.)[\w.-]+/g) ?? []) : [body];
  const texts = [...environment.map(([, value]) => value), text, ...received, stdout];
  return texts.filter((one) => one !== undefined).flatMap(secretsIn);
}

/** The secrets in a step that the core asks for: what it sends to prove who it is, and the token in the end. */
export function secretsOfStep({ headers = [], body, output }) {
  const isSecret = ([name]) => /(authorization|token|secret|assertion)$/i.test(name);
  const sent = [...headers, ...new URLSearchParams(body ?? '')].filter(isSecret).map(([, value]) => value);
  return [...sent, output?.header ?? ''].flatMap(secretsIn);
}

/** The secrets in a file or a body: of a key each line, of a token its last segment, too. */
export function secretsIn(text) {
  return leaves(parsed(text))
    .flatMap((secret) => secret.split(/\s+/))
    .flatMap((secret) => [secret, secret.slice(secret.lastIndexOf('.') + 1)])
    .filter((secret) => secret.length >= SHORTEST && !secret.startsWith('-----'));
}

function leaves(value) {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const isOpen = (name) => OPEN.includes(name.toLowerCase()) || /ur[il]$/.test(name);
  return Object.entries(value).flatMap(([name, member]) =>
    typeof member === 'string' && isOpen(name) ? [] : leaves(member),
  );
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
