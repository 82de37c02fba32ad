/** Certificates of a request, against a real TLS server. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { makeAuthority } from './support/certificates.js';
import { temporaryFolder } from './support/emulator.js';
import { assertFails, replyTo, sending } from './support/steps.js';

const folder = temporaryFolder({ after });
const authority = makeAuthority(folder, 'authority');
const stranger = makeAuthority(folder, 'stranger');
let server;
let url;

before(async () => {
  const { cert_path, key_path } = authority.vouchFor('server');
  const [cert, key, ca] = [cert_path, key_path, authority.path].map((path) => readFileSync(path));
  // Answers with the name in the certificate that the client presents, or with nothing.
  server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, (req, res) => {
    res.end(req.socket.authorized ? req.socket.getPeerCertificate().subject.CN : '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `https://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

test('a request presents its certificate, and the next one its own', async () => {
  for (const name of ['orders', 'shop']) {
    assert.equal(await callerNamed({ client_certificate: authority.vouchFor(name) }), name);
  }
  assert.equal(await callerNamed({ client_certificate: null }), '');
});

test('a certificate that has been renewed is presented anew', async () => {
  const certificate = { cert_path: join(folder, 'current.pem'), key_path: join(folder, 'current.key.pem') };
  for (const name of ['first', 'second']) {
    const { cert_path, key_path } = authority.vouchFor(name);
    copyFileSync(cert_path, certificate.cert_path);
    copyFileSync(key_path, certificate.key_path);
    assert.equal(await callerNamed({ client_certificate: certificate }), name);
  }
});

test('the request’s own authorities are trusted instead of the system’s', async () => {
  assert.equal(await callerNamed({}), '');
  await assertFails(sending({ url }), 'untrusted_certificate');
  await assertFails(sending({ url, ca_certificate_path: stranger.path }), 'untrusted_certificate');
  const both = join(folder, 'both.pem');
  writeFileSync(both, readFileSync(stranger.path, 'utf8') + readFileSync(authority.path, 'utf8'));
  assert.equal(await callerNamed({ ca_certificate_path: both }), '');
});

test('a request with a certificate trusts the system’s authorities, and those of NODE_EXTRA_CA_CERTS', async () => {
  const step = sending({ url, client_certificate: authority.vouchFor('extra') });
  await assertFails(step, 'untrusted_certificate');
  const { body } = await bodyInAnotherProcess(step, { NODE_EXTRA_CA_CERTS: authority.path });
  assert.equal(body, 'extra');
});

test('a certificate that is of no use is named, and never shown', async () => {
  const { cert_path, key_path } = authority.vouchFor('whole');
  const other = authority.vouchFor('other');
  const missing = join(folder, 'missing.pem');
  const empty = fileOf('empty.pem', '');
  const garbage = fileOf('garbage.pem', 'hush hush hush');
  const broken = fileOf('broken.pem', readFileSync(key_path, 'utf8').replace(/\n.{8}/, '\nhushhush'));
  const endless = '/dev/zero';
  const certificates = [
    { cert_path: missing, key_path, names: missing },
    { cert_path, key_path: missing, names: missing },
    { cert_path: folder, key_path, names: folder },
    { cert_path: endless, key_path, names: endless },
    { cert_path: garbage, key_path, names: garbage },
    { cert_path: empty, key_path, names: empty },
    { cert_path, key_path: broken, names: broken },
    { cert_path, key_path: empty, names: empty },
    { cert_path, key_path: other.key_path, names: other.key_path },
  ];
  const requests = certificates.map(({ names, ...client_certificate }) => ({ names, client_certificate }));
  for (const names of [missing, folder, endless, empty, garbage]) {
    requests.push({ names, ca_certificate_path: names });
  }
  for (const { names, ...request } of requests) {
    const { message } = await assertFails(sending({ url, ...request }), 'other');
    assert.ok(message.includes(names), message);
    for (const secret of ['hush', 'PRIVATE', readFileSync(key_path, 'utf8').split('\n')[1]]) {
      assert.ok(!message.includes(secret), message);
    }
  }
});

test('Node’s own log of a request shows no key', async () => {
  const certificate = authority.vouchFor('logged');
  const step = sending({ url, client_certificate: certificate, ca_certificate_path: authority.path });
  const { body, log } = await bodyInAnotherProcess(step, { NODE_DEBUG: 'http,https,tls,net' });
  assert.equal(body, 'logged');
  assert.match(log, /^HTTP \d+: /m);
  const secrets = readFileSync(certificate.key_path, 'utf8').split('\n').slice(1, -2);
  assert.ok(secrets.length > 1);
  for (const secret of secrets) assert.ok(!log.includes(secret), log);
});

/** The name under which the server knows who sends this request. */
async function callerNamed(request) {
  const step = sending({ url, ca_certificate_path: authority.path, ...request });
  const { body, ...reply } = await replyTo(step);
  assert.equal(reply.status, 200, reply.message);
  return body;
}

/** The answer's body, with what the process that asked for it has logged. */
async function bodyInAnotherProcess(step, environment) {
  const program = `
    import { replyTo } from ${JSON.stringify(new URL('support/steps.js', import.meta.url))};
    process.stdout.write((await replyTo(${JSON.stringify(step)})).body);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [body, log] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );
  return { body, log };
}

function fileOf(name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
