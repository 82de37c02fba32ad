/** Clients that attach a token, against real servers. */

import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';

import { GatePass, GatepassError, ResponseError, Verifier, fetchIdToken } from 'gatepass';

import { CALLER, EMAIL, setEnvironment, startEmulator } from './support/emulator.js';
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
  await assert.rejects(client.getRequestHeaders(), { name: 'TypeError', message: /"url" argument/ });
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
  assert.equal((await sent({ data: Buffer.from('bytes') })).body, 'bytes');
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
  await assert.rejects(client.request({ url, adapter: 1 }), {
    code: 'INVALID_OPTION',
    message: /no option "adapter"/,
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
    // They share a flight.
    if (call === calls[0]) await gate.next();
    leaver.abort();
    await left;
  }
  assert.equal(gate.arrived, 1);
});

test('no token goes over plain http, but to this machine or where that is wanted', async () => {
  const gatepass = new GatePass();
  const clients = [
    [await gatepass.getIdTokenClient(AUDIENCE), 'INVALID_OPTION'],
    [await gatepass.getIdTokenClient(), 'INVALID_AUDIENCE'],
    [await gatepass.getAccessTokenClient(SCOPE), 'INVALID_OPTION'],
  ];
  for (const [client, code] of clients) {
    for (const call of [
      () => client.fetch('http://plain.example'),
      () => client.request({ url: 'http://plain.example' }),
      () => client.getPlainHeaders('http://plain.example'),
      () => client.getRequestHeaders(new URL('http://plain.example')),
    ]) {
      await assert.rejects(call(), {
        name: 'GatepassError',
        code,
        message: /`allowPlainHttp`/,
      });
    }
  }
  assert.deepEqual(await emulator.counts(), {});
  const open = await gatepass.getIdTokenClient(AUDIENCE, { allowPlainHttp: true });
  assert.match((await open.getPlainHeaders('http://plain.example')).authorization, /^Bearer ey/);
});

test('the token in another header leaves Authorization to the application', async (t) => {
  const url = await echo(t);
  const names = {
    'x-serverless-authorization': ['Basic eA==', true],
    both: [undefined, true],
    authorization: [undefined],
  };
  for (const [tokenHeader, [own, isServerless = false]] of Object.entries(names)) {
    const client = await new GatePass().getIdTokenClient(AUDIENCE, { tokenHeader });
    const { data } = await client.request({ url, headers: { Authorization: 'Basic eA==' } });
    const { authorization, 'x-serverless-authorization': serverless } = data.headers;
    if (own === undefined) assert.match(authorization, /^Bearer ey/);
    else assert.equal(authorization, own);
    assert.equal(serverless?.startsWith('Bearer ey') ?? false, isServerless);
    const plain = await client.getPlainHeaders();
    assert.equal('x-serverless-authorization' in plain, isServerless);
    assert.equal('authorization' in plain, own === undefined);
  }
  await assert.rejects(
    (await new GatePass().getIdTokenClient(AUDIENCE, { tokenHeader: 'cookie' })).getPlainHeaders(),
    {
      code: 'INVALID_OPTION',
      message: /x-serverless-authorization, both/,
    },
  );
});

test('in another header, too, a token is not sent on to another origin', async (t) => {
  const elsewhere = await echo(t);
  const url = await serve(t, async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString();
    const [, status, to] = req.url.split('/');
    if (status === 'end') {
      res.end(JSON.stringify({ method: req.method, headers: req.headers, body }));
    } else {
      res
        .writeHead(Number(status), { Location: to === 'away' ? elsewhere : to === 'ever' ? req.url : '/end' })
        .end();
    }
  });
  const client = await new GatePass().getIdTokenClient(AUDIENCE, { tokenHeader: 'both' });
  const post = { method: 'POST', body: 'hello', headers: { 'X-Own': 'a' } };
  for (const [status, method, body] of [
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'hello'],
    [308, 'POST', 'hello'],
  ]) {
    const away = await (await client.fetch(`${url}/${status}/away`, post)).json();
    assert.deepEqual([away.method, away.body, away.headers['x-own']], [method, body, 'a']);
    assert.ok(!('authorization' in away.headers) && !('x-serverless-authorization' in away.headers));
    const home = await (await client.fetch(`${url}/${status}/home`, post)).json();
    assert.deepEqual([home.method, home.body], [method, body]);
    assert.equal((await claimsOf(home.headers)).aud, AUDIENCE);
  }
  const request = new Request(`${url}/307/away`, post);
  await assert.rejects(client.fetch(request), { name: 'TypeError', message: /cannot be sent again/ });
  await assert.rejects(client.fetch(`${url}/302/ever`), {
    name: 'TypeError',
    message: /more than 20 redirects/,
  });
  assert.equal((await client.fetch(`${url}/302/away`, { redirect: 'manual' })).status, 302);
});

test('after a 401 the request is repeated once with a newer token, where it can be', async (t) => {
  const received = [];
  let refused = 1;
  const url = await serve(t, async (req, res) => {
    received.push([req.headers.authorization, Buffer.concat(await req.toArray()).toString()]);
    res.writeHead(received.length <= refused ? Number(req.url.slice(1)) : 200).end();
  });
  const call = async (status, init, times = 1) => {
    received.length = 0;
    refused = times;
    const client = await new GatePass().getIdTokenClient(AUDIENCE);
    await client.getPlainHeaders();
    // The metadata server keeps its token as well, so that there is a newer one only now.
    await emulator.rotateKeys();
    return (await client.fetch(`${url}/${status}`, init)).status;
  };
  assert.equal(await call(401, { method: 'POST', body: 'hello' }), 200);
  assert.deepEqual(
    received.map(([, body]) => body),
    ['hello', 'hello'],
  );
  assert.notEqual(received[0][0], received[1][0]);
  assert.equal(await call(401, {}, 2), 401);
  assert.equal(received.length, 2);
  assert.equal(await call(403), 403);
  assert.equal(received.length, 1);
  const body = new Blob(['hello']).stream();
  assert.equal(await call(401, { method: 'POST', body, duplex: 'half' }), 401);
  assert.equal(received.length, 1);
});

test('a token that is not good any more can be replaced by hand', async () => {
  const gatepass = new GatePass();
  const token = await gatepass.fetchIdToken(AUDIENCE);
  await emulator.rotateKeys();
  // It is none that anybody would be given.
  assert.equal(gatepass.invalidate('another'), true);
  assert.equal(gatepass.invalidate(token), true);
  const fresh = await gatepass.fetchIdToken(AUDIENCE);
  assert.notEqual(fresh, token);
  // Another one is there already; for that one none is asked for within a minute.
  assert.equal(gatepass.invalidate(token), true);
  assert.equal(gatepass.invalidate(fresh), false);
});

test('a client of one’s own has the token of a refused request replaced, by its headers', async () => {
  const client = await new GatePass().getIdTokenClient();
  const [url, other] = [`${AUDIENCE}/a`, 'https://other.example'];
  const headers = await client.getPlainHeaders(url);
  await emulator.rotateKeys();
  assert.throws(() => client.invalidate({}, url), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal(client.invalidate(headers, url), true);
  const newer = await client.getPlainHeaders(url);
  assert.notEqual(newer.authorization, headers.authorization);
  // Another one is there already; for that one none is asked for within a minute.
  assert.equal(client.invalidate(headers, url), true);
  assert.equal(client.invalidate(newer, url), false);
  assert.equal(client.invalidate(await client.getPlainHeaders(other), other), true);
});

test('a client of gRPC calls: by the channel, and without the port', async () => {
  const gatepass = new GatePass();
  const url = 'https://127.0.0.1:50051/shop.Orders';
  const headers = async (grpc) =>
    await (await gatepass.getIdTokenClient(undefined, { grpc })).getPlainHeaders(url);
  for (const grpc of [{ isEncrypted: true }, { isEncrypted: false, allowPlaintextLoopback: true }]) {
    assert.equal((await claimsOf(await headers(grpc), 'https://127.0.0.1')).aud, 'https://127.0.0.1');
  }
  await assert.rejects(headers({ isEncrypted: false }), /the option `allowPlaintextLoopback`/);
  await assert.rejects(headers({ encrypted: true }), { code: 'INVALID_OPTION' });
});

test('the process’s own source is the one of the functions', async () => {
  const gatepass = GatePass.applicationDefault();
  assert.equal(GatePass.applicationDefault(), gatepass);
  assert.equal(await gatepass.fetchIdToken(AUDIENCE), await fetchIdToken(AUDIENCE));
});

test('a token and its end', async () => {
  const gatepass = new GatePass();
  for (const info of [await gatepass.fetchIdTokenInfo(AUDIENCE), await gatepass.fetchIdTokenInfo(AUDIENCE)]) {
    assert.equal(info.token, await gatepass.fetchIdToken(AUDIENCE));
    const { exp } = JSON.parse(Buffer.from(info.token.split('.')[1], 'base64url'));
    assert.equal(info.expiresAt.getTime(), exp * 1000);
  }
  const { token, expiresAt } = await gatepass.fetchAccessTokenInfo(SCOPE);
  assert.equal(token, await gatepass.fetchAccessToken(SCOPE));
  assert.ok(expiresAt > new Date());
});

test('whose the credentials are, and a signature of theirs', async () => {
  assert.deepEqual(await new GatePass().fetchPrincipal(), { email: EMAIL, projectId: 'emulator' });
  const credentials = await emulator.keyFile('--email', CALLER);
  const gatepass = new GatePass({ credentials });
  assert.equal((await gatepass.fetchPrincipal()).email, CALLER);
  const bytes = Buffer.from('to be signed');
  const { keyId, signature } = await gatepass.signBytes(bytes);
  assert.equal(keyId, credentials.private_key_id);
  assert.ok(verify('sha256', bytes, createPublicKey(credentials.private_key), signature));
  assert.equal((await new GatePass().signBytes(bytes)).signature.length, 256);
  await assert.rejects(gatepass.signBytes('text'), { name: 'TypeError', message: /"bytes" argument/ });
});

test('request has a time limit and a base URL, and names products', async (t) => {
  const url = await echo(t);
  const slow = await serve(t, () => {});
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  await assert.rejects(client.request({ url: slow, timeout: 20 }), { name: 'TimeoutError' });
  const { data } = await client.request({
    url: 'b?c=d',
    baseURL: `${url}/a/`,
    timeout: 60_000,
    userAgentDirectives: [{ product: 'orders', version: '1.2', comment: 'blue' }, { product: 'shop' }],
  });
  assert.deepEqual([data.url, data.headers['user-agent']], ['/a/b?c=d', 'orders/1.2 (blue) shop']);
});

test('request tries again where that is wanted', async (t) => {
  let failures;
  const asked = [];
  const url = await serve(t, (req, res) => {
    asked.push(req.method);
    if (req.url === '/drop' && asked.length <= failures) return req.socket.destroy();
    res.writeHead(asked.length <= failures ? Number(req.url.slice(1)) : 200).end();
  });
  const client = await new GatePass().getIdTokenClient(AUDIENCE);
  const attempts = async (path, times, options) => {
    [failures, asked.length] = [times, 0];
    const retryConfig = { retryDelay: 1 };
    await client.request({ url: `${url}/${path}`, retryConfig, ...options }).catch(() => {});
    return asked.length;
  };
  assert.equal(await attempts(503, 3), 4);
  assert.equal(await attempts(503, 9), 4);
  assert.equal(await attempts('drop', 9), 3);
  assert.equal(await attempts(404, 9), 1);
  assert.equal(await attempts(503, 9, { method: 'POST' }), 1);
  assert.equal(await attempts(503, 9, { retryConfig: undefined }), 1);
  assert.equal(
    await attempts(503, 9, { retryConfig: undefined, retry: true, signal: AbortSignal.abort() }),
    0,
  );
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
