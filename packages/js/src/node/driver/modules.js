/** Node's modules for requests. Each takes longer to load than all of this package, and most programs need one at most. */

/** The module for requests to this URL. */
export async function moduleFor(url) {
  return url.startsWith('https:') ? await import('node:https') : await import('node:http');
}
