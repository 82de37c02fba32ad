/** gRPC: calls that carry tokens, and a server that checks them, with real channels over TLS and without. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { InterceptingCall, credentials, status } from '@grpc/grpc-js';
import { GatePass } from 'gatepass';
import * as adapter from 'gatepass/grpc';
import {
  accessTokenCredentials,
  claimsOf,
  idTokenCredentials,
  insecureIdTokenInterceptor,
  repeatUnauthenticated,
  requireIdToken,
} from 'gatepass/grpc';
import protobuf from 'protobufjs';

import { makeAuthority } from './support/certificates.js';
import { CALLER, EMAIL, setEnvironment, startEmulator } from './support/emulator.js';
import { KINDS, answers, begin, call, clientOf, emailOf, serveOrders } from './support/orders.js';
import { gateTo } from './support/servers.js';

const AUDIENCE = 'https://127.0.0.1';
const require = createRequire(import.meta.url);

let emulator;
let folder;
let certificate;
let tls;
before(async () => {
  emulator = await startEmulator();
  folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
  const authority = makeAuthority(folder, 'authority');
  certificate = authority.vouchFor('server');
  tls = credentials.createSsl(readFileSync(authority.path));
});
after(async () => {
  rmSync(folder, { recursive: true });
  await emulator?.stop();
});
beforeEach(async () => {
  await emulator.reset();
  setEnvironment(emulator.environment);
});

test('the module exports what is declared, and the same to require', () => {
  const declarations = readFileSync(new URL('../grpc.d.ts', import.meta.url), 'utf8');
  const declared = [...declarations.matchAll(/^export (?:function|const) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(adapter).sort(), declared.sort());
  assert.equal(require('gatepass/grpc').requireIdToken, requireIdToken);
});

for (const kind of KINDS) {
  test(`${kind}: over TLS the call carries a token, whose claims the handler has`, async (t) => {
    const { tls: target } = await serve(t);
    assert.deepEqual(await call(clientOf(t, target, idTokenCredentials(tls)), kind), answers(kind, EMAIL));
  });

  test(`${kind}: without TLS only to a loopback address, and only where that is allowed`, async (t) => {
    const { plaintext } = await serve(t);
    const open = insecure({ allowPlaintextLoopback: true });
    assert.deepEqual(await call(clientOf(t, plaintext, undefined, open), kind), answers(kind, EMAIL));
    await assert.rejects(call(clientOf(t, plaintext, undefined, insecure()), kind), (error) => {
      assert.equal(error.code, status.UNAUTHENTICATED);
      assert.match(error.details, /without TLS.*the option `allowPlaintextLoopback`/);
      return true;
    });
  });

  test(`${kind}: a bad token is refused, with the code in the status's details`, async (t) => {
    const { tls: target } = await serve(t);
    const client = clientOf(t, target, tls);
    const mint = async (order) =>
      await emulator.mint({ ...order, claims: { aud: AUDIENCE, email: EMAIL, ...order.claims } });
    const [header, payload, signature] = (await mint({})).split('.');
    for (const [code, token, expected] of [
      ['TOKEN_MISSING', undefined, status.UNAUTHENTICATED],
      ['TOKEN_MALFORMED', 'a b', status.UNAUTHENTICATED],
      ['BAD_AUDIENCE', await mint({ claims: { aud: 'https://other.example' } }), status.UNAUTHENTICATED],
      ['TOKEN_EXPIRED', await mint({ issuedAt: 1_000_000_000 }), status.UNAUTHENTICATED],
      [
        'BAD_SIGNATURE',
        [header, payload, signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))].join('.'),
        status.UNAUTHENTICATED,
      ],
      ['SIGNATURE_STRIPPED', await mint({ stripSignature: true }), status.UNAUTHENTICATED],
      ['EMAIL_NOT_ALLOWED', await mint({ claims: { email: 'other@x.example' } }), status.PERMISSION_DENIED],
    ]) {
      await refused(call(client, kind, bearer(token)), expected, code, token);
    }
  });
}

test('keys that cannot be had: UNAVAILABLE, and when to try again', async (t) => {
  const { tls: target } = await serve(t);
  const client = clientOf(t, target, tls);
  const metadata = bearer(await emulator.mint({ audience: AUDIENCE, email: EMAIL }));
  await emulator.fault({ path: '/oauth2/v3/certs', status: 404 });
  const details = await refused(call(client, 'unary', metadata), status.UNAVAILABLE, 'KEYS_UNAVAILABLE');
  const [, { typeUrl, value }] = details;
  assert.equal(typeUrl, 'type.googleapis.com/google.rpc.RetryInfo');
  assert.equal(Number(RetryInfo.decode(value).retryDelay.seconds), 5);
  assert.deepEqual(await call(client, 'unary', metadata), [EMAIL]);
});

test('a header of which there are several is refused', async (t) => {
  const { tls: target } = await serve(t);
  const client = clientOf(t, target, tls);
  const token = `Bearer ${await emulator.mint({ audience: AUDIENCE, email: EMAIL })}`;
  assert.deepEqual(await call(client, 'unary', { 'x-serverless-authorization': token }), [EMAIL]);
  const twice = { 'x-serverless-authorization': [token, token] };
  await refused(call(client, 'unary', twice), status.UNAUTHENTICATED, 'TOKEN_MALFORMED');
});

test('services that are open, and no others', async (t) => {
  const health = 'grpc.health.v1.Health';
  const { plaintext } = await serve(t, { openServices: health });
  const client = clientOf(t, plaintext, undefined, { service: health });
  for (const kind of KINDS) assert.deepEqual(await call(client, kind), answers(kind, 'nobody'));
  await refused(call(clientOf(t, plaintext), 'unary'), status.UNAUTHENTICATED, 'TOKEN_MISSING');
});

test('without a token, where that is wanted; never with a bad one', async (t) => {
  const { plaintext } = await serve(t, { optional: true });
  const client = clientOf(t, plaintext);
  assert.deepEqual(await call(client, 'unary'), ['nobody']);
  const good = bearer(await emulator.mint({ audience: AUDIENCE, email: EMAIL }));
  assert.deepEqual(await call(client, 'unary', good), [EMAIL]);
  await refused(call(client, 'unary', bearer('a.b.c')), status.UNAUTHENTICATED, 'TOKEN_MALFORMED');
});

test('a call without claims says so', () => {
  assert.throws(() => claimsOf({ metadata: {} }), /no claims: requireIdToken did not run/);
});

test('a refused call is one line in the log, without the token; or goes to the hook', async (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  const error = t.mock.method(console, 'error', () => {});
  const policy = { audience: AUDIENCE, keysUrl: emulator.keysUrl, anyCaller: true };
  const start = async (options) => {
    const { plaintext } = await serveOrders(t, { interceptors: [requireIdToken({ ...policy, ...options })] });
    return clientOf(t, plaintext);
  };
  const token = await emulator.mint({ audience: 'https://other.example', email: EMAIL });
  await assert.rejects(call(await start(), 'unary', bearer(token)));
  const [line] = warn.mock.calls.map(({ arguments: args }) => args.join(' '));
  assert.ok(
    line.includes('/shop.Orders/unary') && line.includes('BAD_AUDIENCE') && line.includes(EMAIL),
    line,
  );
  assert.ok(!line.includes(token) && warn.mock.callCount() === 1, line);

  const told = [];
  const hook = ({ code }, { path, metadata }) => told.push([code, path, metadata.get('a')]);
  await assert.rejects(call(await start({ onRefusal: hook }), 'unary', { a: 'b' }));
  assert.deepEqual(told, [['TOKEN_MISSING', '/shop.Orders/unary', ['b']]]);

  const faulty = await start({
    onRefusal: () => {
      throw new RangeError(token);
    },
  });
  await refused(call(faulty, 'unary'), status.UNAUTHENTICATED, 'TOKEN_MISSING');
  assert.deepEqual(
    error.mock.calls.map(({ arguments: args }) => args),
    [['gatepass: onRefusal has thrown RangeError']],
  );
  assert.equal(warn.mock.callCount(), 1);
});

test('mistakes in options are found at once', () => {
  const insecureCredentials = credentials.createInsecure();
  for (const mistake of [
    () => idTokenCredentials(insecureCredentials),
    () => accessTokenCredentials(insecureCredentials),
    () => idTokenCredentials(tls, { audiance: AUDIENCE }),
    () => accessTokenCredentials(tls, { audience: AUDIENCE }),
    () => insecureIdTokenInterceptor({ allowPlainHttp: true }),
    () => requireIdToken(),
    () => requireIdToken({ audiance: AUDIENCE }),
    () => requireIdToken({ audience: AUDIENCE, openPaths: '/healthz' }),
  ]) {
    assert.throws(mistake, { code: 'INVALID_OPTION' });
  }
  assert.throws(() => idTokenCredentials(insecureCredentials), /without TLS.*insecureIdTokenInterceptor/);
  assert.throws(() => idTokenCredentials(tls, { audience: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => requireIdToken({ audience: 'a', openServices: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('a Unix socket and other places that are no loopback address get no token without TLS', async (t) => {
  const { plaintext } = await serve(t);
  const interceptors = [insecureIdTokenInterceptor({ allowPlaintextLoopback: true })];
  // In between, so that nothing need be sent anywhere.
  const elsewhere = (target) => (options, nextCall) => {
    const call = new InterceptingCall(nextCall(options));
    call.getPeer = () => target;
    return call;
  };
  const to = (target) =>
    clientOf(t, plaintext, undefined, { interceptors: [...interceptors, elsewhere(target)] });
  for (const target of [
    'dns:127.0.0.1:50051',
    'dns:///localhost:50051',
    'ipv4:127.0.0.1:50051',
    'ipv6:[::1]:50051',
  ]) {
    assert.deepEqual(await call(to(target), 'unary'), [EMAIL], target);
  }
  for (const target of [
    'dns:10.0.0.1:50051',
    'dns:///receiver.example:443',
    'ipv4:127.0.0.1:50051,10.0.0.1:50051',
    'unix:/tmp/localhost',
    'xds:///localhost:50051',
  ]) {
    await assert.rejects(call(to(target), 'unary'), { code: status.UNAUTHENTICATED }, target);
  }
});

test('the audience is the authority’s, without its port; one channel serves many', async (t) => {
  const accepted = ['https://127.0.0.1', 'https://orders.example', 'https://custom.example'];
  const seen = [];
  const email = (call) => (seen.push(claimsOf(call).aud), claimsOf(call).email);
  const { plaintext, tls: target } = await serve(t, { audience: accepted }, { email });
  const client = clientOf(t, target, idTokenCredentials(tls));
  await call(client, 'unary');
  await call(client, 'unary', {}, { host: 'orders.example:8443' });
  await call(clientOf(t, target, idTokenCredentials(tls, { audience: accepted[2] })), 'unary');
  const open = insecure({ allowPlaintextLoopback: true, audience: accepted[2] });
  await call(clientOf(t, plaintext, undefined, open), 'unary');
  const local = insecure({ allowPlaintextLoopback: true });
  await call(
    clientOf(t, plaintext, undefined, { ...local, 'grpc.default_authority': 'orders.example' }),
    'unary',
  );
  assert.deepEqual(seen, [accepted[0], accepted[1], accepted[2], accepted[2], accepted[1]]);
});

test('an access token and its project, for Google’s own APIs', async (t) => {
  let received;
  const unary = ({ metadata }, callback) =>
    callback(null, String((received = metadata.toHttp2Headers()) && ''));
  const { tls: target } = await serveOrders(t, { certificate, handlers: { unary } });
  const gatepass = new GatePass({
    credentials: await emulator.keyFile('--email', CALLER),
    quotaProjectId: 'shop',
  });
  const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
  await call(clientOf(t, target, accessTokenCredentials(tls, { scopes, gatepass })), 'unary');
  assert.equal(received['x-goog-user-project'], 'shop');
  const { scope } = await emulator.tokenInfo(received.authorization.replace('Bearer ', ''));
  assert.equal(scope, scopes[0]);
});

test('the token goes where it is wanted, and leaves authorization to the application', async (t) => {
  const { tls: target, plaintext } = await serve(t);
  const own = { authorization: 'Basic YTpi' };
  const tokenHeader = 'x-serverless-authorization';
  assert.deepEqual(await call(clientOf(t, target, idTokenCredentials(tls, { tokenHeader })), 'unary', own), [
    EMAIL,
  ]);
  const open = insecure({ allowPlaintextLoopback: true, tokenHeader });
  assert.deepEqual(await call(clientOf(t, plaintext, undefined, open), 'unary', own), [EMAIL]);
});

test('a channel outlives its tokens: made once, called for a day', async (t) => {
  let now = Date.now();
  const clock = () => now;
  const { tls: target } = await serve(t, { clock });
  const seen = new Set();
  const gatepass = new GatePass({ clock });
  const client = clientOf(t, target, idTokenCredentials(tls, { gatepass }));
  for (let hour = 1; hour <= 24; hour++) {
    for (let i = 0; i < 5; i++) assert.deepEqual(await call(client, 'unary'), [EMAIL]);
    seen.add(await gatepass.fetchIdToken(AUDIENCE));
    await emulator.setClock(hour * 3600);
    now += 3_600_000;
  }
  assert.equal(seen.size, 24);
});

test('a stream outlives the token that it was opened with', async (t) => {
  let now = Date.now();
  const clock = () => now;
  const { tls: target } = await serve(t, { clock });
  const client = clientOf(t, target, idTokenCredentials(tls, { gatepass: new GatePass({ clock }) }));
  const stream = client.bidi();
  for (let day = 0; day < 3; day++) {
    stream.write('1');
    assert.deepEqual(await once(stream, 'data'), [EMAIL]);
    now += 86_400_000;
  }
  stream.end();
  assert.equal((await once(stream, 'status'))[0].code, status.OK);
});

test('many cold calls make one request, and warm ones none', async (t) => {
  const { tls: target } = await serve(t);
  const client = clientOf(t, target, idTokenCredentials(tls));
  const all = () => Promise.all(Array.from({ length: 64 }, (_, i) => call(client, KINDS[i % 4])));
  await all();
  await all();
  assert.equal(await tokensAsked(), 1);
});

test('a call’s deadline and its cancellation end its own wait for a token, and no other', async (t) => {
  const gate = await gateTo(t, emulator.url);
  const { tls: target } = await serve(t);
  setEnvironment({ GCE_METADATA_HOST: new URL(gate.url).host });
  const client = clientOf(t, target, idTokenCredentials(tls));
  const patient = call(client, 'unary');
  const letGo = await gate.next();
  for (const kind of KINDS) {
    const hasty = call(client, kind, {}, { deadline: Date.now() + 20 });
    await assert.rejects(hasty, { code: status.DEADLINE_EXCEEDED });
    const left = begin(client, kind);
    // grpc-js sends a call that is cancelled before it has begun to look for a connection.
    await setImmediate();
    left.call.cancel();
    await assert.rejects(left.ended, { code: status.CANCELLED });
  }
  letGo();
  assert.deepEqual(await patient, [EMAIL]);
  assert.equal(await tokensAsked(), 1);
});

test('a call that gets no token says why, and whether it may be tried again', async (t) => {
  const { tls: target } = await serve(t);
  setEnvironment({ METADATA_SERVER_DETECTION: 'none' });
  await assert.rejects(call(clientOf(t, target, idTokenCredentials(tls)), 'unary'), (error) => {
    assert.deepEqual(
      [error.code, /no credentials were found/.test(error.details)],
      [status.UNAUTHENTICATED, true],
    );
    return true;
  });
  setEnvironment(emulator.environment);
  await emulator.fault({ path: IDENTITY, status: 503, times: 100 });
  await assert.rejects(call(clientOf(t, target, idTokenCredentials(tls)), 'unary'), {
    code: status.UNAVAILABLE,
  });
});

test('an attempt that gRPC itself makes again has a fresh look at the token', async (t) => {
  const tokens = [];
  const gatepass = new GatePass();
  const unary = async ({ metadata }, callback) => {
    tokens.push(metadata.get('authorization')[0]);
    if (tokens.length > 1) return callback(null, 'done');
    await emulator.rotateKeys();
    gatepass.invalidate(tokens[0].replace('Bearer ', ''));
    callback({ code: status.UNAVAILABLE });
  };
  const { tls: target } = await serveOrders(t, { certificate, handlers: { unary } });
  const retryPolicy = {
    maxAttempts: 2,
    initialBackoff: '0.001s',
    maxBackoff: '0.001s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  const config = { loadBalancingConfig: [], methodConfig: [{ name: [{}], retryPolicy }] };
  const options = { 'grpc.service_config': JSON.stringify(config) };
  assert.deepEqual(await call(clientOf(t, target, idTokenCredentials(tls, { gatepass }), options), 'unary'), [
    'done',
  ]);
  assert.equal(new Set(tokens).size, 2);
});

test('attempts that gRPC makes at once share a token, and what replaces it', async (t) => {
  const hedgingPolicy = { maxAttempts: 3, hedgingDelay: '0s', nonFatalStatusCodes: ['UNAVAILABLE'] };
  const config = { loadBalancingConfig: [], methodConfig: [{ name: [{}], hedgingPolicy }] };
  const options = { 'grpc.service_config': JSON.stringify(config) };
  const answers = [];
  const unary = (_, callback) => {
    // None is answered before all are there.
    answers.push(callback);
    if (answers.length === 3) for (const answer of answers) answer(null, 'done');
  };
  const { tls: target } = await serveOrders(t, { certificate, handlers: { unary } });
  const cold = clientOf(t, target, idTokenCredentials(tls, { gatepass: new GatePass() }), options);
  assert.deepEqual(await call(cold, 'unary'), ['done']);
  assert.deepEqual([answers.length, await tokensAsked()], [3, 1]);

  const refused = await refusing(t);
  const warm = await warmClient(t, refused.target, options);
  await emulator.reset();
  assert.deepEqual(await call(warm, 'unary'), ['done']);
  assert.ok(refused.received.length >= 2);
  assert.ok((await tokensAsked()) <= 1, 'at most one token is replaced');
});

/** Refuses the first calls with a token that it does not like, by a status at once or after the headers. */
async function refusing(t, { times = 1, withHeaders = false } = {}) {
  const received = [];
  const refusal = (call) => {
    received.push(call.metadata.get('authorization')[0]);
    if (received.length > times) return undefined;
    if (withHeaders) call.sendMetadata(call.metadata);
    return { code: status.UNAUTHENTICATED, details: 'not this one' };
  };
  const single = (call, callback) => {
    const error = refusal(call);
    callback(error ?? null, 'done');
  };
  const streaming = (call) => {
    const error = refusal(call);
    if (error) return call.emit('error', error);
    call.write('done');
    call.end();
  };
  const handlers = { unary: single, serverStream: streaming, clientStream: single, bidi: streaming };
  const { tls: target, plaintext } = await serveOrders(t, { certificate, handlers });
  return { received, target, plaintext };
}

/** A client whose token is warm, while there is a newer one. */
async function warmClient(t, target, options = {}) {
  const gatepass = new GatePass();
  await gatepass.fetchIdToken(AUDIENCE);
  await emulator.rotateKeys();
  const own = idTokenCredentials(tls, { gatepass });
  return clientOf(t, target, own, { interceptors: [repeatUnauthenticated], ...options });
}

test('after a refusal as UNAUTHENTICATED a unary call is repeated once with a newer token, and a stream’s successor has it', async (t) => {
  for (const kind of KINDS) {
    const { received, target } = await refusing(t);
    const client = await warmClient(t, target);
    if (kind !== 'unary') {
      await assert.rejects(call(client, kind), { code: status.UNAUTHENTICATED, details: 'not this one' });
      assert.equal(received.length, 1, kind);
    }
    assert.deepEqual(await call(client, kind), ['done']);
    assert.deepEqual([received.length, new Set(received).size], [2, 2], kind);
  }
});

test('it is not repeated twice, nor without the interceptor, nor where the token is as new as can be', async (t) => {
  const twice = await refusing(t, { times: 9 });
  const client = await warmClient(t, twice.target);
  await assert.rejects(call(client, 'unary'), { code: status.UNAUTHENTICATED });
  assert.equal(twice.received.length, 2);
  // At most one token a minute is replaced.
  await assert.rejects(call(client, 'unary'), { code: status.UNAUTHENTICATED });
  assert.equal(twice.received.length, 3);

  const once = await refusing(t);
  await assert.rejects(call(await warmClient(t, once.target, { interceptors: [] }), 'unary'));
  assert.equal(once.received.length, 1);
  const foreign = clientOf(t, once.target, tls, { interceptors: [repeatUnauthenticated] });
  once.received.length = 0;
  await assert.rejects(call(foreign, 'unary', { authorization: 'Bearer a' }), {
    code: status.UNAUTHENTICATED,
  });
  assert.equal(once.received.length, 1);
});

test('calls that are refused together are all repeated, and ask for one token', async (t) => {
  const { received, target } = await refusing(t, { times: 16 });
  const client = await warmClient(t, target);
  await emulator.reset();
  const found = await Promise.all(Array.from({ length: 16 }, () => call(client, 'unary')));
  assert.deepEqual(found, Array(16).fill(['done']));
  assert.deepEqual([received.length, new Set(received).size], [32, 2]);
  assert.equal(await tokensAsked(), 1);
});

test('a unary call is repeated after headers as well, and they come once; a stream’s go on at once', async (t) => {
  for (const [kind, times] of [
    ['unary', 2],
    ['serverStream', 1],
  ]) {
    const { received, target } = await refusing(t, { withHeaders: true });
    const { call: calling, ended } = begin(await warmClient(t, target), kind);
    let headers = 0;
    calling.on('metadata', () => headers++);
    if (times === 2) await ended;
    else await assert.rejects(ended, { code: status.UNAUTHENTICATED });
    assert.deepEqual([received.length, headers], [times, 1], kind);
  }
});

test('a call that is repeated can be cancelled, and keeps its deadline', async (t) => {
  const gate = await gateTo(t, emulator.url);
  const { received, target } = await refusing(t);
  setEnvironment({ GCE_METADATA_HOST: new URL(gate.url).host });
  const client = clientOf(t, target, idTokenCredentials(tls), { interceptors: [repeatUnauthenticated] });
  const { call: calling, ended } = begin(client, 'unary');
  (await gate.next())();
  // For the second token.
  const letGo = await gate.next();
  calling.cancel();
  await assert.rejects(ended, { code: status.CANCELLED });
  letGo();
  assert.equal(received.length, 1);
});

test('it works without TLS too, in either order of the interceptors', async (t) => {
  for (const turn of [(both) => both, (both) => both.reverse()]) {
    const { received, plaintext } = await refusing(t);
    const gatepass = new GatePass();
    const interceptors = turn([
      insecureIdTokenInterceptor({ gatepass, allowPlaintextLoopback: true }),
      repeatUnauthenticated,
    ]);
    await gatepass.fetchIdToken(AUDIENCE);
    await emulator.rotateKeys();
    assert.deepEqual(await call(clientOf(t, plaintext, undefined, { interceptors }), 'unary'), ['done']);
    assert.equal(new Set(received).size, 2);
  }
});

test('behind Cloud Run’s front end, which takes the signature away', async (t) => {
  for (const [tokenHeader, trust] of [
    ['authorization', true],
    ['both', false],
  ]) {
    setEnvironment({ ...emulator.environment, K_SERVICE: 'orders' });
    const options = { trustCloudRunAndSkipSignature: trust };
    const { plaintext } = await serve(t, options);
    const target = await frontEndOf(t, plaintext);
    const client = clientOf(t, target, undefined, insecure({ tokenHeader, allowPlaintextLoopback: true }));
    for (const kind of KINDS) assert.deepEqual(await call(client, kind), answers(kind, EMAIL), kind);
    // The front end itself refuses whoever has no token; of its answer by HTTP grpc-js makes a status.
    await assert.rejects(call(clientOf(t, target), 'unary'), { code: status.PERMISSION_DENIED });
  }
});

test('nothing keeps the process once channel and server are closed', async () => {
  const program = `
    import { Server, ServerCredentials, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
    import { claimsOf, insecureIdTokenInterceptor, repeatUnauthenticated, requireIdToken } from 'gatepass/grpc';
    const text = (value) => Buffer.from(value);
    const method = { path: '/shop.Orders/unary', requestStream: false, responseStream: false, requestSerialize: text,
      requestDeserialize: String, responseSerialize: text, responseDeserialize: String };
    const keysUrl = process.env.KEYS_URL;
    const server = new Server({ interceptors: [requireIdToken({ audience: '${AUDIENCE}', keysUrl })] });
    server.addService({ unary: method }, { unary: (call, callback) => callback(null, claimsOf(call).email) });
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, port) => {
      const Client = makeGenericClientConstructor({ unary: method }, 'Orders');
      const interceptors = [insecureIdTokenInterceptor({ allowPlaintextLoopback: true }), repeatUnauthenticated];
      const client = new Client('127.0.0.1:' + port, credentials.createInsecure(), { interceptors });
      client.unary('1', (error, answer) => {
        console.log(error ?? answer);
        client.close();
        server.tryShutdown(() => console.log('closed'));
      });
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, KEYS_URL: emulator.keysUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [[code], output] = await Promise.all([once(child, 'exit'), child.stdout.toArray()]);
  assert.deepEqual([code, Buffer.concat(output).toString()], [0, `${EMAIL}\nclosed\n`]);
});

const IDENTITY = '/computeMetadata/v1/instance/service-accounts/default/identity';

async function tokensAsked() {
  return (await emulator.counts())[IDENTITY] ?? 0;
}

async function serve(t, options = {}, { email = emailOf } = {}) {
  const policy = {
    audience: AUDIENCE,
    keysUrl: emulator.keysUrl,
    allowedEmails: [EMAIL],
    onRefusal: () => {},
  };
  return await serveOrders(t, {
    certificate,
    email,
    interceptors: [requireIdToken({ ...policy, ...options })],
  });
}

/** The target of a front end of Cloud Run's before a service. */
async function frontEndOf(t, service) {
  const options = { service: 'orders', to: `http://${service}`, invoker: EMAIL, audience: AUDIENCE };
  const args = Object.entries({ ...options, emulator: emulator.url }).map(
    ([name, value]) => `--${name}=${value}`,
  );
  const program = process.env.GATEPASS_PROGRAM || 'gatepass';
  const child = spawn(program, ['emulator', 'run', ...args, '--exit-with-stdin'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(async () => {
    const exit = once(child, 'exit');
    child.stdin.end();
    await exit;
  });
  for await (const line of createInterface(child.stdout)) {
    const [, target] = /^# listening on http:\/\/(.*)$/.exec(line) ?? [];
    if (target !== undefined) return target;
  }
  return assert.fail('the front end has ended without listening');
}

function insecure(options) {
  return { interceptors: [insecureIdTokenInterceptor(options)] };
}

function bearer(token) {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

const { root } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message RetryInfo { Duration retry_delay = 1; }`);
const [Status, ErrorInfo, RetryInfo] = ['Status', 'ErrorInfo', 'RetryInfo'].map((name) =>
  root.lookupType(`google.rpc.${name}`),
);

/** Makes sure that the call ends like this; gives the details of its status. */
async function refused(calling, expected, code, token = '-') {
  const error = await calling.then(
    () => assert.fail(`${code} was expected`),
    (error) => error,
  );
  assert.deepEqual([error.code, error.details.split(':')[0]], [expected, code]);
  assert.ok(!`${error} ${error.details}`.includes(token));
  const { code: number, message, details } = Status.decode(error.metadata.get('grpc-status-details-bin')[0]);
  assert.deepEqual([number, message], [expected, error.details]);
  const { reason, domain } = ErrorInfo.decode(details[0].value);
  assert.deepEqual([reason, domain], [code, 'gatepass.dev']);
  return details;
}
