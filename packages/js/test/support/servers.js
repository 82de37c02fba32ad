/** Local HTTP servers for tests. */

import { EventEmitter, on, once } from 'node:events';
import { createServer } from 'node:http';

/** Serves `handler` on a free port of the loopback interface until the test ends. */
export async function serve(t, handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/**
 * A server in front of another one: every request waits until the test lets it go, so that tests need no sleep.
 *
 * `await gate.next()` waits for the next request to arrive, and gives the function that lets it go.
 */
export async function gateTo(t, upstream) {
  const doorbell = new EventEmitter();
  const arrivals = on(doorbell, 'request');
  const gate = { url: '', arrived: 0, next: async () => (await arrivals.next()).value[0] };
  gate.url = await serve(t, (req, res) => {
    gate.arrived += 1;
    doorbell.emit('request', () => forward(upstream, req, res));
  });
  return gate;
}

async function forward(upstream, req, res) {
  const { host: _, connection: __, ...headers } = req.headers;
  const response = await fetch(upstream + req.url, { headers });
  const flavor = response.headers.get('metadata-flavor');
  res.writeHead(response.status, flavor === null ? {} : { 'metadata-flavor': flavor });
  res.end(await response.text());
}
