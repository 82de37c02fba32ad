/** A metadata server that gives ID tokens as fast as it can: nobody looks at their signatures. */

import { once } from 'node:events';
import { createServer } from 'node:http';

const FLAVOR = { 'metadata-flavor': 'Google' };

/**
 * Serves until it is closed; meanwhile this process's environment names it.
 *
 * @param {(audience: string) => string} token makes the tokens
 */
export async function startMetadataServer(token = tokenFor) {
  const counts = new Map();
  const server = createServer((req, res) => {
    const url = new URL(req.url, 'http://metadata');
    if (!url.pathname.endsWith('/identity')) return res.writeHead(200, FLAVOR).end();
    const audience = url.searchParams.get('audience');
    counts.set(audience, (counts.get(audience) ?? 0) + 1);
    return res.writeHead(200, FLAVOR).end(token(audience));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env.GCE_METADATA_HOST = `127.0.0.1:${server.address().port}`;
  process.env.METADATA_SERVER_DETECTION = 'assume-present';
  return {
    /** How often a token for this audience was asked for. */
    count: (audience) => counts.get(audience) ?? 0,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export function tokenFor(aud) {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { aud, azp: '1', email: 'caller@bench.iam.gserviceaccount.com', email_verified: true };
  const parts = [
    { alg: 'RS256', kid: 'key', typ: 'JWT' },
    { ...claims, exp: iat + 3600, iat, iss: 'https://accounts.google.com', sub: '1' },
  ];
  const encoded = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return [...encoded, Buffer.alloc(256, 1).toString('base64url')].join('.');
}
