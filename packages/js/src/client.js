/** An HTTP client that attaches a token, in the shape that users of google-auth-library know. */

import { checkOptions, typed } from './arguments.js';
import { followed } from './redirects.js';
import { RETRY_OPTIONS, retrying } from './retry.js';

/** What `request` takes in addition to what `fetch` does. */
const REQUEST_OPTIONS = {
  url: 'url',
  baseURL: 'url',
  params: 'any',
  data: 'any',
  responseType: 'string',
  validateStatus: 'function',
  timeout: 'number',
  userAgentDirectives: 'any',
  ...RETRY_OPTIONS,
};
/** What `fetch` takes; anything else is most likely meant for another library and would be ignored in silence. */
const FETCH_OPTIONS = {
  method: 'string',
  headers: 'any',
  body: 'any',
  signal: 'any',
  redirect: 'string',
  duplex: 'string',
  dispatcher: 'any',
  keepalive: 'boolean',
  cache: 'string',
  credentials: 'string',
  integrity: 'string',
  mode: 'string',
  referrer: 'string',
  referrerPolicy: 'string',
};

/** Attaches a token to every request. `GatePass` makes these. */
export class AuthClient {
  #calls;

  /** @param {Calls} calls */
  constructor(calls) {
    this.#calls = calls;
  }

  async getRequestHeaders(url) {
    const { headers } = await this.#calls.attach(url);
    return new Headers(headers);
  }

  async getPlainHeaders(url) {
    const attached = this.#calls.attach(url);
    // Waiting for what is at hand would cost more than all the rest.
    const { plainHeaders } = attached instanceof Promise ? await attached : attached;
    return { ...plainHeaders };
  }

  invalidate(headers, url) {
    return this.#calls.isWorthRepeatingWithout(typed('headers', 'object', headers), url);
  }

  async fetch(input, init = {}) {
    const isRequest = typeof input === 'object' && input !== null && 'url' in input;
    const { url, headers, signal, body } = isRequest
      ? input
      : { url: String(typed('input', 'url', input)) };
    const send = (attached) =>
      this.#send(attached, input, { ...init, headers: init.headers ?? headers }, url);
    const attach = () => this.#calls.attach(url, init.signal ?? signal);
    const attached = await attach();
    const response = await send(attached);
    if (!isRepeatable(init.body ?? body) || !this.#calls.isWorthRepeating(attached, response.status))
      return response;
    await response.body?.cancel();
    return await send(await attach());
  }

  async #send(attached, input, init, url) {
    const headers = new Headers(init.headers);
    for (const [name, value] of attached.headers) headers.set(name, value);
    return await followed(input, { ...init, headers }, url, Object.keys(attached.plainHeaders));
  }

  async request(options) {
    checkOptions('request', options, { ...REQUEST_OPTIONS, ...FETCH_OPTIONS });
    const { url, baseURL, params, data, responseType, validateStatus = isSuccess, ...others } = options;
    const { timeout, userAgentDirectives, retry, retryConfig, ...init } = others;
    const whole = withParams(urlOf(url, baseURL), params);
    const headers = withUserAgent(init.headers, userAgentDirectives);
    const attempt = async () => {
      const limited = { ...init, headers, signal: limitedBy(timeout, init.signal) };
      const response = await this.fetch(whole, { ...limited, ...bodyOf(data, limited) });
      const { status, statusText, headers: received } = response;
      const result = { status, statusText, headers: received, data: await dataOf(response, responseType) };
      if (!validateStatus(status)) throw new ResponseError(result);
      return result;
    };
    return await retrying(attempt, { retry, retryConfig, method: init.method, signal: init.signal });
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

/** Whether a body is still there after it was sent: a stream is not. */
function isRepeatable(body) {
  return typeof body?.getReader !== 'function' && typeof body?.[Symbol.asyncIterator] !== 'function';
}

function limitedBy(timeout, signal) {
  if (timeout === undefined || timeout === 0) return signal;
  return AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]);
}

/** The URL of a request. Node's own error would show what is none. */
function urlOf(url, base) {
  if (URL.canParse(url, base)) return new URL(url, base);
  const error = new TypeError('The "options.url" property must be a URL, or relative to "options.baseURL"');
  throw Object.assign(error, { code: 'ERR_INVALID_URL' });
}

function withParams(url, params) {
  for (const [name, value] of new URLSearchParams(params)) url.searchParams.append(name, value);
  return url;
}

/** With the products that take part in the request (RFC 9110, section 10.1.5), as google-auth-library has them. */
function withUserAgent(given, directives = []) {
  if (directives.length === 0) return given;
  const headers = new Headers(given);
  const products = directives.map(({ product, version, comment }) =>
    [version ? `${product}/${version}` : product, comment && `(${comment})`].filter(Boolean).join(' '),
  );
  const own = headers.get('user-agent');
  headers.set('user-agent', [...(own ? [own] : []), ...products].join(' '));
  return headers;
}

/** The body for `data`: an object goes as JSON, anything that `fetch` knows goes as it is. */
function bodyOf(data, init) {
  if (data === undefined) return {};
  if (!isPlain(data)) return { body: data };
  const headers = new Headers(init.headers);
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  return { body: JSON.stringify(data), headers };
}

/** Whether it is made of braces or brackets, in this realm or another one, as in Jest. */
function isPlain(data) {
  const name = Object.getPrototypeOf(Object(data))?.constructor?.name;
  return Array.isArray(data) || (typeof data === 'object' && [undefined, 'Object'].includes(name));
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
