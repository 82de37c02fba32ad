/** Going through a proxy: plainly for plain requests, by a tunnel (RFC 9110, section 9.3.6) for those by TLS. */

import { isIP } from 'node:net';
import { connect } from 'node:tls';

import { moduleFor } from './modules.js';

/**
 * What a request through a proxy needs.
 *
 * @param {string} proxy its URL, perhaps with user and password: no message shows them
 * @param {string} target the request's URL
 * @returns {Promise<{ place: string, options: object, headers: [name: string, value: string][] }>} where the request goes,
 *   with which of Node's options, and the headers that it gets in addition
 */
export async function through(proxy, target, secureContext, signal) {
  const { origin, username, password } = new URL(proxy);
  const login = [username, password].map(decodeURIComponent).join(':');
  const basic = `Basic ${Buffer.from(login).toString('base64')}`;
  const headers = username === '' ? [] : [['Proxy-Authorization', basic]];
  const { protocol, host, hostname, port } = new URL(target);
  if (protocol === 'http:') {
    const { Agent } = await moduleFor(origin);
    return {
      place: origin,
      options: { path: target, agent: new Agent() },
      headers: [['Host', host], ...headers],
    };
  }
  const name = hostname.replace(/^\[|\]$/g, '');
  const socket = await tunnel(origin, `${hostname}:${port || 443}`, headers, signal);
  const tls = { socket, host: name, servername: isIP(name) ? '' : name, secureContext };
  // No agent: one would make the connection itself.
  return { place: target, options: { createConnection: () => connect(tls) }, headers: [] };
}

async function tunnel(origin, authority, headers, signal) {
  const { Agent, request } = await moduleFor(origin);
  const opening = request(origin, { method: 'CONNECT', path: authority, agent: new Agent(), signal });
  opening.on('socket', (socket) => socket.unref());
  opening.setHeader('Host', authority);
  for (const [name, value] of headers) opening.setHeader(name, value);
  return await new Promise((resolve, reject) => {
    opening.on('error', ({ code, message }) => {
      reject(Object.assign(new Error(`the proxy ${new URL(origin).host}: ${message || code}`), { code }));
    });
    opening.on('connect', ({ statusCode }, socket) => {
      if (statusCode >= 200 && statusCode < 300) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy ${new URL(origin).host} answered ${statusCode} to CONNECT ${authority}`));
    });
    opening.on('response', ({ statusCode, socket }) => {
      socket.destroy();
      reject(new Error(`the proxy ${new URL(origin).host} answered ${statusCode} to CONNECT ${authority}`));
    });
    opening.end();
  });
}
