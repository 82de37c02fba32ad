/** How each step is carried out, with real files and servers. The steps come from a script instead of the add-on. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { temporaryFolder } from './support/emulator.js';
import { serve } from './support/servers.js';
import { assertFails, replyTo, running, sending } from './support/steps.js';

const LIMIT = 1024 * 1024;

test('only variables that are set are handed over', async () => {
  process.env.GATEPASS_TEST_SET = 'a';
  process.env.GATEPASS_TEST_EMPTY = '';
  const names = ['GATEPASS_TEST_SET', 'GATEPASS_TEST_EMPTY', 'GATEPASS_TEST_UNSET'];
  assert.deepEqual(await replyTo({ step: 'read_env', names }), {
    reply: 'env',
    values: { GATEPASS_TEST_SET: 'a', GATEPASS_TEST_EMPTY: '' },
  });
});

test('a file is handed over whole, up to the limit', async (t) => {
  const path = join(temporaryFolder(t), 'file');
  for (const [contents, text] of [
    ['', ''],
    ['ü😀', 'ü😀'],
    [Buffer.from([0x61, 0xff]), 'a\ufffd'],
    ['x'.repeat(LIMIT), 'x'.repeat(LIMIT)],
  ]) {
    writeFileSync(path, contents);
    assert.deepEqual(await replyTo({ step: 'read_file', path }), { reply: 'text', text });
  }
  writeFileSync(path, 'x'.repeat(LIMIT + 1));
  await assertFails({ step: 'read_file', path }, 'too_large');
});

test('why a file is not handed over', async (t) => {
  const folder = temporaryFolder(t);
  await assertFails({ step: 'read_file', path: join(folder, 'missing') }, 'not_found');
  await assertFails({ step: 'read_file', path: '/dev/null/below' }, 'not_found');
  await assertFails({ step: 'read_file', path: folder }, 'other');
});

test('a request is sent as it is, and the response handed over as it came', async (t) => {
  const received = [];
  const url = await serve(t, async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString();
    received.push({ method: req.method, url: req.url, flavor: req.headers['x-flavor'], body });
    res.writeHead(418, ['X-Twice', 'a', 'X-Twice', 'b', 'Content-Length', '2']);
    res.end(Buffer.from([0x61, 0xff]));
  });
  const request = { url: `${url}/p?a=1`, headers: [['X-Flavor', 'f']] };
  const { headers, ...reply } = await replyTo(sending({ ...request, method: 'POST', body: 'ü=1' }));
  assert.deepEqual(reply, { reply: 'response', status: 418, body: 'a\ufffd' });
  assert.deepEqual(headers.slice(0, 3), [
    ['X-Twice', 'a'],
    ['X-Twice', 'b'],
    ['Content-Length', '2'],
  ]);
  await replyTo(sending(request));
  assert.deepEqual(received, [
    { method: 'POST', url: '/p?a=1', flavor: 'f', body: 'ü=1' },
    { method: 'GET', url: '/p?a=1', flavor: 'f', body: '' },
  ]);
});

test('a redirect is handed over, not followed', async (t) => {
  const url = await serve(t, (_req, res) => res.writeHead(302, { Location: '/elsewhere' }).end());
  const { status, headers } = await replyTo(sending({ url }));
  assert.equal(status, 302);
  assert.ok(headers.some(([name, value]) => name === 'Location' && value === '/elsewhere'));
});

test('a body of more than the limit is broken off', async (t) => {
  const url = await serve(t, (req, res) => res.end('x'.repeat(LIMIT + (req.url === '/more' ? 1 : 0))));
  assert.equal((await replyTo(sending({ url }))).body.length, LIMIT);
  await assertFails(sending({ url: `${url}/more` }), 'too_large');
});

test('connection trouble is said in a few words, without the query', async (t) => {
  const garbage = await serveBytes(t, 'nonsense\r\n\r\n');
  const upgrade = await serveBytes(
    t,
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  );
  const cut = await serveBytes(t, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const silent = await serveBytes(t, '');
  for (const url of ['http://127.0.0.1:1', 'https://127.0.0.1:1', garbage, upgrade, cut, silent]) {
    const { message } = await assertFails(sending({ url: `${url}/?hush` }), 'connect');
    assert.ok(message.length > 0 && !message.includes('hush'), message);
  }
});

test('the timeout covers the whole exchange', async (t) => {
  const noAnswer = await serve(t, () => {});
  const noEnd = await serve(t, (_req, res) => res.write('half'));
  await assertFails(sending({ url: noAnswer, timeout_ms: 50 }), 'timeout');
  await assertFails(sending({ url: noEnd, timeout_ms: 50 }), 'timeout');
});

test('a limit closes what it ends: an answer that dribbles, one that switches protocols, a file that does not answer', async (t) => {
  const dribbles = await endless(t, 'HTTP/1.1 200 OK\r\n\r\n', 'a');
  await assertFails(sending({ url: dribbles.url, timeout_ms: 100 }), 'timeout');
  await dribbles.closed;
  const slow = await endless(t, '', 'HTTP/1.1 100 Continue\r\n\r\n');
  await assertFails(sending({ url: slow.url, timeout_ms: 100 }), 'timeout');
  await slow.closed;
  for (const upgrade of ['', 'Connection: upgrade\r\nUpgrade: x\r\n']) {
    const switches = await endless(t, `HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`, 'a');
    // Without a protocol to switch to it is an answer, with nothing in it.
    const { reply, status, body } = await replyTo(sending({ url: switches.url, timeout_ms: 100 }));
    assert.deepEqual(
      [reply, status, body],
      upgrade ? ['failed', undefined, undefined] : ['response', 101, ''],
    );
    await switches.closed;
  }

  const path = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  await assertFails({ step: 'read_file', path, timeout_ms: 100 }, 'timeout');
  // The system's own thread waits on; this lets it go.
  execFileSync('sh', ['-c', ': > "$0"', path]);
});

test('the global agent, which may know a proxy, is passed by', async (t) => {
  const url = await serve(t, (_req, res) => res.end());
  const { globalAgent } = http;
  t.after(() => (http.globalAgent = globalAgent));
  http.globalAgent = new http.Agent();
  http.globalAgent.createConnection = () => {
    throw new Error('a proxy would be asked');
  };
  assert.equal((await replyTo(sending({ url }))).status, 200);
});

test('what this package cannot do it says', async () => {
  for (const step of ['unknown', 'toString']) await assertFails({ step }, 'unsupported');
});

test('a wait ends when its time is over', async () => {
  assert.deepEqual(await replyTo({ step: 'wait', delay_ms: 1 }), { reply: 'elapsed' });
  assert.deepEqual(await replyTo({ step: 'wait', delay_ms: 0 }), { reply: 'elapsed' });
});

test('the signal ends whatever step is under way, with its own reason', async (t) => {
  let arrive;
  const arrived = new Promise((resolve) => (arrive = resolve));
  const noAnswer = await serve(t, arrive);
  const reason = new Error('had enough');
  const steps = [
    { step: sending({ url: noAnswer }), begun: arrived },
    { step: { step: 'wait', delay_ms: 3_600_000 }, begun: Promise.resolve() },
    { step: { step: 'read_file', path: '/dev/zero' }, begun: Promise.resolve() },
    { step: running(['/bin/sleep', '3600']), begun: Promise.resolve() },
  ];
  for (const { step, begun } of steps) {
    const controller = new AbortController();
    const driving = assert.rejects(replyTo(step, { signal: controller.signal }), reason);
    await begun;
    controller.abort(reason);
    await driving;
  }
});

/** Begins every answer so, and then goes on and on; `closed` is fulfilled when the client has closed the connection. */
async function endless(t, begin, more) {
  let close;
  const closed = new Promise((resolve) => (close = resolve));
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('close', close);
    socket.once('data', () => {
      socket.write(begin);
      const dribble = setInterval(() => socket.write(more), 10);
      socket.on('close', () => clearInterval(dribble));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, closed };
}

/** Answers every connection with these bytes and closes it. */
async function serveBytes(t, bytes) {
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}
