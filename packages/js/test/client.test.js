/** Clients that attach a token, against real servers. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';

import { GatePass, GatepassError, ResponseError, Verifier } from 'gatepass';

import { EMAIL, setEnvironment, startEmulator } from './support/emulator.js';
import { gateTo, serve } from './support/servers.js';

const AUDIENCE = 'https://receiver.example';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());
beforeEach(async () => {
  await emulator.reset();
  setEnvironment(emulator.environment);
});

test('request attaches an ID token for the audience', async (t) => {
  const url = await echo(t);
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const { status, statusText, headers, data } = await client.request({ url });
  assert.deepEqual([status, statusText, headers.get('x-echo')], [200, 'OK', 'yes']);
  assert.equal((await claimsOf(data.headers)).email, EMAIL);
});

test('without an audience it comes from the URL, for each request', async (t) => {
  const client = await new GatePass().getIdTokenClient();
  for (const url of [await echo(t), await echo(t)]) {
    const { data } = await client.request({ url: `${url}/path?a=1` });
    assert.equal((await claimsOf(data.headers, url)).aud, url);
  }
  await assert.rejects(client.fetch('http://receiver.example'), { code: 'INVALID_AUDIENCE' });
  await assert.rejects(client.getRequestHeaders(), { code: 'INVALID_AUDIENCE' });
});

test('an access token', async (t) => {
  const url = await echo(t);
  const gatepass = new GatePass();
  const client = await gatepass.getAccessTokenClient([SCOPE]);
  const { data } = await client.request({ url });
  assert.equal(data.headers.authorization, `Bearer ${await gatepass.fetchAccessToken(SCOPE)}`);
});

test('with an access token goes the project that is billed', async (t) => {
  const url = await echo(t);
  const client = await new GatePass({ quotaProjectId: 'billed' }).getAccessTokenClient([SCOPE]);
  for (const { headers } of [
    (await client.request({ url })).data,
    { headers: Object.fromEntries(await client.getRequestHeaders()) },
    { headers: await client.getPlainHeaders() },
  ]) {
    assert.match(headers.authorization, /^Bearer \S+$/);
    assert.equal(headers['x-goog-user-project'], 'billed');
  }
  const receiver = await new GatePass({ quotaProjectId: 'billed' }).getIdTokenClient(AUDIENCE);
  assert.deepEqual([...(await receiver.getRequestHeaders()).keys()], ['authorization']);
});

test('getRequestHeaders gives the headers for a client of one’s own', async () => {
  const client = await new GatePass().getIdTokenClient();
  const headers = await client.getRequestHeaders('https://receiver.example/path');
  assert.ok(headers instanceof Headers);
  assert.equal((await claimsOf(Object.fromEntries(headers))).aud, AUDIENCE);

  const before = [...headers];
  headers.set('authorization', 'another');
  headers.append('authorization', 'and another');
  headers.append('x-own', 'a');
  assert.deepEqual([...(await client.getRequestHeaders('https://receiver.example'))], before);
});

test('getPlainHeaders gives the same as an object, to whoever asks one of their own', async (t) => {
  const url = await echo(t);
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const headers = await client.getPlainHeaders();
  const [response] = await once(get(url, { headers }), 'response');
  const received = JSON.parse(Buffer.concat(await response.toArray()));
  assert.equal((await claimsOf(received.headers)).aud, AUDIENCE);

  headers.authorization = 'another';
  assert.deepEqual(await client.getPlainHeaders(), Object.fromEntries(await client.getRequestHeaders()));
});

test('fetch takes what the global fetch does', async (t) => {
  const url = await echo(t);
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const post = { method: 'POST', body: 'hello', headers: { 'X-Own': 'a' } };
  for (const args of [
    [url, post],
    [new URL(url), post],
    [new Request(url, post)],
    [new Request(url), post],
  ]) {
    const response = await client.fetch(...args);
    assert.ok(response instanceof Response);
    const { method, headers, body } = await response.json();
    assert.deepEqual([method, headers['x-own'], body], ['POST', 'a', 'hello']);
    assert.equal((await claimsOf(headers)).aud, AUDIENCE);
  }
});

test('an Authorization of one’s own gives way', async (t) => {
  const url = await echo(t);
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const { data } = await client.request({ url, headers: { Authorization: 'Basic eA==' } });
  assert.equal((await claimsOf(data.headers)).aud, AUDIENCE);
});

test('a token is not sent on to another origin', async (t) => {
  const elsewhere = await echo(t);
  const url = await serve(t, (req, res) => {
    const home = req.url === '/home' ? '/end' : elsewhere;
    if (req.url === '/end') res.end(JSON.stringify({ headers: req.headers }));
    else res.writeHead(307, { Location: home }).end();
  });
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  for (const method of ['GET', 'POST']) {
    const data = await (await client.fetch(`${url}/away`, { method })).json();
    assert.equal(data.headers.authorization, undefined);
  }
  const { data } = await client.request({ url: `${url}/home`, responseType: 'json' });
  assert.equal((await claimsOf(data.headers)).aud, AUDIENCE);
});

test('request sends parameters and data', async (t) => {
  const url = await echo(t);
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const sent = async (options) => (await client.request({ url, method: 'POST', ...options })).data;

  assert.equal((await sent({ url: `${url}/?a=1`, params: { b: '2 3' } })).url, '/?a=1&b=2+3');
  const json = await sent({ data: { a: [1] } });
  assert.deepEqual([json.body, json.headers['content-type']], ['{"a":[1]}', 'application/json']);
  const own = await sent({ data: [1], headers: { 'Content-Type': 'application/vnd.a+json' } });
  assert.deepEqual([own.body, own.headers['content-type']], ['[1]', 'application/vnd.a+json']);
  const form = await sent({ data: new URLSearchParams({ a: '1' }) });
  assert.deepEqual(
    [form.body, form.headers['content-type']],
    ['a=1', 'application/x-www-form-urlencoded;charset=UTF-8'],
  );
  assert.equal((await sent({ data: 'text' })).body, 'text');
  assert.equal((await sent({ data: Buffer.from('octets') })).body, 'octets');
  assert.equal((await sent({ body: 'body' })).body, 'body');
});

test('request reads the response as it is asked to', async (t) => {
  const url = await serve(t, (req, res) => {
    res.setHeader('Content-Type', req.url === '/text' ? 'text/plain' : 'application/json; charset=utf-8');
    res.end(req.url === '/broken' ? '{' : '{"a":1}');
  });
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const read = async (path, responseType) => (await client.request({ url: url + path, responseType })).data;

  assert.deepEqual(await read('/', undefined), { a: 1 });
  assert.equal(await read('/text', undefined), '{"a":1}');
  assert.equal(await read('/broken', undefined), '{');
  assert.deepEqual(await read('/text', 'json'), { a: 1 });
  assert.equal(await read('/', 'text'), '{"a":1}');
  assert.equal(Buffer.from(await read('/', 'arraybuffer')).toString(), '{"a":1}');
  assert.equal(await (await read('/', 'blob')).text(), '{"a":1}');
  assert.equal(await new Response(await read('/', 'stream')).text(), '{"a":1}');
});

test('a status that is not accepted is an error with the response', async (t) => {
  const url = await serve(t, (_req, res) =>
    res.writeHead(403, { 'Content-Type': 'application/json' }).end('{"a":1}'),
  );
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  await assert.rejects(client.request({ url }), (error) => {
    assert.ok(error instanceof ResponseError && !(error instanceof GatepassError));
    assert.deepEqual(
      [error.name, error.status, error.response.status, error.response.data],
      ['ResponseError', 403, 403, { a: 1 }],
    );
    return true;
  });
  assert.equal((await client.request({ url, validateStatus: () => true })).status, 403);
});

test('request refuses an option that it would ignore', async (t) => {
  const url = await echo(t);
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  await assert.rejects(client.request({ url, timeout: 1 }), {
    code: 'INVALID_OPTION',
    message: /no option "timeout"/,
  });
});

test('the signal covers the token as well as the request', async (t) => {
  const gate = await gateTo(t, emulator.url);
  setEnvironment({ ...emulator.environment, GCE_METADATA_HOST: new URL(gate.url).host });
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const url = await serve(t, () => assert.fail('no request was to be made'));
  const calls = [
    (signal) => client.fetch(url, { signal }),
    (signal) => client.fetch(new Request(url, { signal })),
    (signal) => client.request({ url, signal }),
  ];
  for (const call of calls) {
    const leaver = new AbortController();
    const left = assert.rejects(call(leaver.signal), { name: 'AbortError' });
    await gate.next();
    leaver.abort();
    await left;
  }
});

/** A server that answers with what it received. */
async function echo(t) {
  return await serve(t, async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString();
    res.writeHead(200, { 'Content-Type': 'application/json', 'X-Echo': 'yes' });
    res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body }));
  });
}

async function claimsOf(headers, audience = AUDIENCE) {
  return await new Verifier({ audience, keysUrl: emulator.keysUrl }).verifyHeaders(headers);
}
