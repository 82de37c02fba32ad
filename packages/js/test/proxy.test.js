/** Requests through a real proxy, plain and by a tunnel. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';

import { GatePass } from 'gatepass';
import { Emulator } from 'gatepass/testing';

import { makeAuthority } from './support/certificates.js';
import { CALLER, setEnvironment, temporaryFolder } from './support/emulator.js';
import { assertFails, replyTo, sending } from './support/steps.js';

const folder = temporaryFolder({ after });
const authority = makeAuthority(folder, 'authority');
const stranger = makeAuthority(folder, 'stranger');
const servers = [];
/** What the proxy was asked for, and with what right. */
const asked = [];
/** The ports of the tunnel that was opened last, and of whoever has sent the last request. */
let opened;
let from;
let proxy;
let plain;
let tls;

before(async () => {
  const answer = (req, res) => {
    from = req.socket.remotePort;
    res.end(`${req.method} ${req.headers.host} ${req.url}`);
  };
  plain = await listening(createServer(answer), 'http');
  const { cert_path, key_path } = authority.vouchFor('server');
  const [cert, key] = [cert_path, key_path].map((path) => readFileSync(path));
  tls = await listening(createTlsServer({ cert, key }, answer), 'https');
  proxy = await listening(proxyTo(), 'http');
});
beforeEach(() => asked.splice(0));
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

test('a plain request', async () => {
  const { status, body } = await replyTo(sending({ url: `${plain}/a?b`, proxy: { url: proxy } }));
  const { host } = new URL(plain);
  assert.deepEqual([status, body], [200, `GET ${host} /a?b`]);
  assert.deepEqual(asked, [[`GET ${plain}/a?b`, undefined]]);
});

test('a request by TLS goes through a tunnel', async () => {
  const step = sending({ url: `${tls}/a?b`, proxy: { url: proxy }, ca_certificate_path: authority.path });
  const { host } = new URL(tls);
  assert.equal((await replyTo(step)).body, `GET ${host} /a?b`);
  assert.equal(from, opened);
  assert.deepEqual(asked, [[`CONNECT ${host}`, undefined]]);
  await assertFails({ ...step, ca_certificate_path: stranger.path }, 'untrusted_certificate');
});

test('a proxy that wants to know who asks', async () => {
  const url = proxy.replace('//', '//us%40r:hush%3A@');
  const basic = `Basic ${Buffer.from('us@r:hush:').toString('base64')}`;
  for (const target of [plain, tls]) {
    await replyTo(sending({ url: target, proxy: { url }, ca_certificate_path: authority.path }));
    assert.equal(asked.pop()[1], basic);
  }
});

test('a proxy that refuses, is not there or does not answer', async () => {
  const { host } = new URL(proxy);
  const refused = sending({
    url: 'https://forbidden.example/',
    proxy: { url: proxy.replace('//', '//a:hush@') },
  });
  const { message } = await assertFails(refused, 'connect');
  assert.equal(message, `the proxy ${host} answered 403 to CONNECT forbidden.example:443`);
  let closed;
  const closing = new Promise((resolve) => (closed = resolve));
  const silent = await listening(
    createServer().on('connect', (_req, socket) =>
      socket
        .on('close', closed)
        .on('error', closed)
        .on('end', () => socket.end())
        .resume(),
    ),
    'http',
  );
  for (const [url, kind] of [
    ['http://a:hush@127.0.0.1:1', 'connect'],
    [silent.replace('//', '//a:hush@'), 'timeout'],
  ]) {
    for (const target of ['http://forbidden.example/', 'https://forbidden.example/']) {
      if (kind === 'timeout' && target.startsWith('http:')) continue;
      const { message } = await assertFails(sending({ url: target, proxy: { url }, timeout_ms: 100 }), kind);
      assert.ok(!message.includes('hush'), message);
    }
  }
  // The limit has ended the connection.
  await closing;
});

test('the proxy that the environment names', async (t) => {
  const emulator = await Emulator.start();
  t.after(() => emulator.stop());
  const credentials = await emulator.keyFile('--email', CALLER);
  // The proxy alone knows where this is.
  const token_uri = `http://emulator.example:${new URL(emulator.url).port}/token`;
  const trustedEndpoints = `http://${new URL(token_uri).host}`;
  const options = { credentials: { ...credentials, token_uri }, trustedEndpoints };
  setEnvironment({});
  t.after(() => delete process.env.http_proxy);
  process.env.http_proxy = proxy;
  // The emulator knows itself by another name: so it says, by way of the proxy.
  await assert.rejects(new GatePass(options).fetchIdToken('https://receiver.example'), {
    code: 'TOKEN_REFUSED',
    message: /audience check/,
  });
  assert.deepEqual(asked, [[`POST ${token_uri}`, undefined]]);
});

/** A forward proxy for this machine: every name is its own. */
function proxyTo() {
  const note = (req) => asked.push([`${req.method} ${req.url}`, req.headers['proxy-authorization']]);
  const server = createServer((req, res) => {
    note(req);
    const { port, pathname, search } = new URL(req.url);
    const { 'proxy-authorization': _, ...others } = req.headers;
    const headers = { ...others, host: `127.0.0.1:${port}` };
    const onward = request({
      host: '127.0.0.1',
      port,
      path: pathname + search,
      method: req.method,
      headers,
      agent: false,
    });
    onward.on('response', (answer) => answer.pipe(res.writeHead(answer.statusCode)));
    req.pipe(onward);
  });
  server.on('connect', (req, socket) => {
    note(req);
    const { hostname, port } = new URL(`http://${req.url}`);
    if (hostname === 'forbidden.example') return socket.resume().end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const onward = connect(Number(port), '127.0.0.1', () => {
      opened = onward.localPort;
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
    });
    for (const one of [onward, socket]) one.on('error', () => {});
    onward.pipe(socket).pipe(onward);
  });
  return server;
}

async function listening(server, scheme) {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return `${scheme}://127.0.0.1:${server.address().port}`;
}
