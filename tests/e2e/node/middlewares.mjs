/**
 * Serves the middlewares of the JavaScript package, each behind the servers that its users have.
 *
 * Answers any request to `/` that is let through with the caller's e-mail. Environment: AUDIENCE, KEYS_URL, CERTIFICATE and
 * PRIVATE_KEY (PEM files, for TLS). Prints a line of JSON for each server, `{"server", "protocol", "port"}`, then `ready`,
 * and ends when standard input closes. A protocol is http/1.1, h2 (HTTP/2 by TLS) or h2c (HTTP/2 without).
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer, createServer as createHttp2Server } from 'node:http2';

import express from 'express';
import fastify from 'fastify';
import { claimsOf, requireIdToken } from 'gatepass/express';
import { requireIdToken as plugin } from 'gatepass/fastify';

const { AUDIENCE, KEYS_URL, CERTIFICATE, PRIVATE_KEY } = process.env;
const options = { audience: AUDIENCE, keysUrl: KEYS_URL, onRefusal: () => {} };
const tls = { cert: readFileSync(CERTIFICATE), key: readFileSync(PRIVATE_KEY) };

const app = express();
app.use(requireIdToken(options));
app.all('/', (req, res) => res.json({ email: req.auth.email }));
await serve('Express', 'http/1.1', createServer(app));

// The middleware for Express wants nothing of Express, which does not serve HTTP/2.
const guard = requireIdToken(options);
const bare = (req, res) =>
  guard(req, res, (error) => {
    res.statusCode = error ? 500 : 200;
    res.end(JSON.stringify(error ? {} : { email: claimsOf(req).email }));
  });
await serve('node:http', 'http/1.1', createServer(bare));
await serve('node:http2', 'h2c', createHttp2Server(bare));
await serve('node:http2', 'h2', createSecureServer(tls, bare));

for (const [protocol, settings] of [
  ['http/1.1', {}],
  ['h2c', { http2: true }],
  ['h2', { http2: true, https: tls }],
]) {
  const app = fastify(settings);
  app.register(plugin, options);
  app.all('/', async (request) => ({ email: request.user.email }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  announce('Fastify', protocol, app.server);
}

console.log('ready');
process.stdin.resume().once('close', () => process.exit());

async function serve(server, protocol, listening) {
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  announce(server, protocol, listening);
}

function announce(server, protocol, listening) {
  console.log(JSON.stringify({ server, protocol, port: listening.address().port }));
}
