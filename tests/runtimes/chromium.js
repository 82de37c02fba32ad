/** The system's Chromium, and what its pages are served by. */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, posix } from 'node:path';

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
/** For tests: why they cannot run, or false. */
export const withoutChromium = CHROMIUM === undefined && 'there is no Chromium: apt-get install chromium';

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Answers with a file of this folder, if it has it. */
export function sendFile(folder, { url }, response) {
  const file = join(folder, posix.normalize(url === '/' ? '/index.html' : url));
  if (!existsSync(file) || !Object.hasOwn(TYPES, extname(file))) return response.writeHead(404).end();
  return response.setHeader('content-type', TYPES[extname(file)]).end(readFileSync(file));
}

/** A server of this folder on loopback. */
export async function serveFolder(folder) {
  const server = createServer((request, response) => sendFile(folder, request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
