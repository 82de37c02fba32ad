/**
 * Redirects, with the token to no other origin.
 *
 * `fetch` by itself takes `Authorization` off then (the Fetch standard, section 4.4, "HTTP-redirect fetch"), and no other
 * header: a request that carries the token in another one is followed here.
 */

/** What `fetch` follows (the same standard, "redirect status"), and how often. */
const STATUSES = [301, 302, 303, 307, 308];
const MOST = 20;

/**
 * `fetch`, following redirects if the request wants that.
 *
 * @param {string} url the request's
 * @param {string[]} names the headers that another origin must not get, in lower case
 */
export async function followed(input, init, url, names) {
  const mode = init.redirect ?? input.redirect ?? 'follow';
  if (mode !== 'follow' || names.every((name) => name === 'authorization')) return await fetch(input, init);
  let request = { ...init, redirect: 'manual' };
  let response = await fetch(input, request);
  request.method ??= input.method ?? 'GET';
  request.body ??= input.body ?? undefined;
  for (let count = 0; isRedirect(response); count++) {
    if (count === MOST) throw new TypeError(`fetch failed: more than ${MOST} redirects`);
    await response.body?.cancel();
    const next = new URL(response.headers.get('location'), url);
    request = redirected(request, response.status);
    if (next.origin !== new URL(url).origin) {
      request.headers = without(request.headers, ['authorization', 'cookie', ...names]);
    }
    url = next.href;
    response = await fetch(url, request);
  }
  return response;
}

function isRedirect({ status, headers }) {
  return STATUSES.includes(status) && headers.has('location');
}

function redirected(request, status) {
  const { method, body, headers, ...others } = request;
  if (status === 303 ? !['GET', 'HEAD'].includes(method) : status < 303 && method === 'POST') {
    const ofBody = [...headers.keys()].filter((name) => name.startsWith('content-'));
    return { ...others, method: 'GET', headers: without(headers, ofBody) };
  }
  if (typeof body?.getReader === 'function')
    throw new TypeError('fetch failed: the body cannot be sent again');
  return { ...request };
}

function without(headers, names) {
  const left = new Headers(headers);
  for (const name of names) left.delete(name);
  return left;
}
