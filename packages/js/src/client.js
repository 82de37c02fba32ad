/** An HTTP client that attaches a token, in the shape that users of google-auth-library know. */

import { checkNames } from './options.js';

/** What `request` takes beside what `fetch` does. */
const REQUEST_OPTIONS = ['url', 'params', 'data', 'responseType', 'validateStatus'];
/** What `fetch` takes; anything else is most likely meant for another library and would be ignored in silence. */
const FETCH_OPTIONS = [
  'method',
  'headers',
  'body',
  'signal',
  'redirect',
  'duplex',
  'dispatcher',
  'keepalive',
  'cache',
  'credentials',
  'integrity',
  'mode',
  'referrer',
  'referrerPolicy',
];

/** Attaches a token to every request. `GatePass` makes these. */
export class AuthClient {
  #tokenFor;

  /** @param {(url: string, signal?: AbortSignal) => Token | Promise<Token>} tokenFor gives the token for a URL */
  constructor(tokenFor) {
    this.#tokenFor = tokenFor;
  }

  async getRequestHeaders(url) {
    const { headers } = await this.#tokenFor(String(url ?? ''));
    return new Headers(headers);
  }

  async getPlainHeaders(url) {
    const token = this.#tokenFor(String(url ?? ''));
    // Waiting for what is at hand would cost more than all the rest.
    const { plainHeaders } = token instanceof Promise ? await token : token;
    return { ...plainHeaders };
  }

  /**
   * `fetch` takes the token off before it follows a redirect to another origin: the Fetch standard, section 4.4
   * ("HTTP-redirect fetch"), wants that of `Authorization`.
   */
  async fetch(input, init = {}) {
    const { url, headers, signal } =
      typeof input === 'object' && 'url' in input ? input : { url: String(input) };
    const attached = new Headers(init.headers ?? headers);
    const token = await this.#tokenFor(url, init.signal ?? signal);
    for (const [name, value] of token.headers) attached.set(name, value);
    return await fetch(input, { ...init, headers: attached });
  }

  async request(options) {
    checkNames('request', options, [...REQUEST_OPTIONS, ...FETCH_OPTIONS]);
    const { url, params, data, responseType, validateStatus = isSuccess, ...init } = options;
    const response = await this.fetch(withParams(url, params), { ...init, ...bodyOf(data, init) });
    const { status, statusText, headers } = response;
    const result = { status, statusText, headers, data: await dataOf(response, responseType) };
    if (!validateStatus(status)) throw new ResponseError(result);
    return result;
  }
}

/** The receiver answered with a status that `validateStatus` does not accept. */
export class ResponseError extends Error {
  constructor(response) {
    super(`the request failed with status ${response.status}`);
    this.status = response.status;
    this.response = response;
  }
}
Object.defineProperty(ResponseError.prototype, 'name', { value: 'ResponseError' });

function isSuccess(status) {
  return status >= 200 && status < 300;
}

function withParams(url, params) {
  const whole = new URL(url);
  for (const [name, value] of new URLSearchParams(params)) whole.searchParams.append(name, value);
  return whole;
}

/** The body for `data`: an object goes as JSON, anything that `fetch` knows goes as it is. */
function bodyOf(data, init) {
  if (data === undefined) return {};
  if (!isPlain(data)) return { body: data };
  const headers = new Headers(init.headers);
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  return { body: JSON.stringify(data), headers };
}

function isPlain(data) {
  return Array.isArray(data) || [Object.prototype, null].includes(Object.getPrototypeOf(Object(data)));
}

async function dataOf(response, responseType) {
  switch (responseType) {
    case 'json':
      return await response.json();
    case 'text':
      return await response.text();
    case 'arraybuffer':
      return await response.arrayBuffer();
    case 'blob':
      return await response.blob();
    case 'stream':
      return response.body;
    default: {
      const text = await response.text();
      return /\bjson\b/i.test(response.headers.get('content-type') ?? '') ? parsed(text) : text;
    }
  }
}

/** The JSON value, or the text when it is none: the caller sees what came. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
