/** A secret where a plain value belongs, in every option, variable and member of a credential file: no error shows it. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import * as gatepass from 'gatepass';

import { CALLER, setEnvironment, startEmulator } from './support/emulator.js';
import { shownBy } from './support/secrets.js';

const { GatePass, Verifier } = gatepass;
const AUDIENCE = 'https://receiver.example';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** What each secret is called, the secret, and the parts that must not be seen. */
const secrets = [];
const keyFiles = [];
let emulator;
before(async () => {
  emulator = await startEmulator();
  const file = await emulator.keyFile('--email', CALLER);
  const token = await emulator.mint({ audience: AUDIENCE });
  const random = randomBytes(48).toString('base64url');
  const lines = file.private_key.split('\n').slice(1, -2);
  secrets.push(
    ['a key', file.private_key, lines],
    ['a key file', JSON.stringify(file), lines.map((line) => line.slice(0, 40))],
    ['a token', token, [token.split('.')[2], token.split('.')[1]]],
    ['a random text', random, [random.slice(0, 32), random.slice(32)]],
  );
  // An example of each kind, with every member that is known, the emulator's endpoints, and a key that signs.
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const keys = {
    service_account: file.private_key,
    gdch_service_account: p256.export({ type: 'pkcs8', format: 'pem' }),
  };
  const schema = readFileSync(new URL('../../../interface/credential_file.schema.json', import.meta.url), 'utf8');
  for (const { examples } of JSON.parse(schema.replaceAll('https://emulator.example', emulator.url)).anyOf) {
    const [example] = examples;
    keyFiles.push({ ...example, ...(example.private_key && { private_key: keys[example.type] }) });
  }
});
after(() => emulator?.stop());

test('in options of a GatePass', async () => {
  await eachSecret(
    optionsOf(() => new GatePass({ none: 1 })),
    async (name, secret) => {
      setEnvironment({ METADATA_SERVER_DETECTION: 'none' });
      await shownWhen(() => fetchedWith({ [name]: secret }));
      await shownWhen(() => fetchedWith({ [name]: secret, impersonate: CALLER, credentials: keyFiles[0] }));
    },
  );
});

test('in options of a Verifier, and of explain', async () => {
  setEnvironment({});
  await eachSecret([...optionsOf(() => new Verifier({ none: 1 })), 'url', 'header'], async (name, secret) => {
    const options = name === 'audience' ? {} : { audience: AUDIENCE };
    await shownWhen(async () => new Verifier({ ...options, [name]: secret }));
    await shownWhen(async () => gatepass.explain('a.b.c', { ...options, [name]: secret }));
    await shownWhen(async () => new Verifier({ ...options, preset: 'cloud_run', [name]: secret }));
  });
});

test('in arguments', async () => {
  setEnvironment({ METADATA_SERVER_DETECTION: 'none' });
  const client = await new GatePass().getIdTokenClient();
  const verifier = new Verifier({ audience: AUDIENCE, keys: { keys: [] } });
  const calls = {
    audience: (secret) => gatepass.fetchIdToken(secret),
    scopes: (secret) => gatepass.fetchAccessToken(secret),
    url: (secret) => client.request({ url: secret }),
    headers: (secret) => verifier.verifyHeaders({ authorization: secret, [secret]: secret }),
    token: (secret) => verifier.verify(secret),
    audienceForUrl: async (secret) => gatepass.audienceForUrl(secret),
    option: async (secret) => new GatePass({ [secret]: secret }),
    tokenHeader: async (tokenHeader) =>
      await (await new GatePass().getIdTokenClient(AUDIENCE, { tokenHeader })).getPlainHeaders(),
    optionOfVerify: async (secret) => await verifier.verify('a.b.c', { [secret]: secret }),
  };
  await eachSecret(Object.keys(calls), async (name, secret) => await shownWhen(() => calls[name](secret)));
});

test('in variables', async () => {
  const text = readFileSync(new URL('../../../core/src/environment.rs', import.meta.url), 'utf8');
  const names = new Set(
    [...text.split('#[cfg(test)]')[0].matchAll(/"([A-Z][A-Z0-9_]{3,})"/g)].map(([, name]) => name),
  );
  assert.ok(names.size > 20);
  const awsFile = keyFiles.find(({ credential_source: source }) => source?.environment_id);
  await eachSecret([...names], async (name, secret) => {
    setEnvironment({ METADATA_SERVER_DETECTION: 'none', [name]: secret });
    try {
      await shownWhen(() => fetchedWith({}));
      await shownWhen(() => fetchedWith({ credentials: awsFile }));
      await shownWhen(async () => new Verifier({ audience: AUDIENCE }));
    } finally {
      delete process.env[name];
    }
  });
});

test('in members of credential files', async () => {
  for (const file of keyFiles) {
    // What is to be signed with or sent is a secret, and no error shows it either.
    await eachSecret(pathsOf(file), async (path, secret) => {
      setEnvironment({ ...emulator.environment, GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: '1' });
      await shownWhen(() => fetchedWith({ credentials: replaced(file, path.split('/'), secret) }));
    });
  }
});

/** Does `work` with every secret in the place of every name; whatever is shown then, holds none of its parts. */
async function eachSecret(names, work) {
  for (const name of names) {
    for (const [called, secret, parts] of secrets) {
      shown.length = 0;
      await work(name, secret);
      const found = parts.find((part) => shown.some((text) => text.includes(part)));
      assert.equal(found, undefined, `${called} as ${name} is shown: ${shown.join('\n')}`);
    }
  }
}

/** All that was shown. */
const shown = [];

async function shownWhen(call) {
  const result = await call().catch((error) => error);
  if (result instanceof Error) {
    // The stack of an error holds its message.
    for (let error = result; error instanceof Error; error = error.cause) shown.push(shownBy(error));
  } else if (typeof result === 'object') {
    shown.push(String(result));
  }
}

async function fetchedWith(options) {
  const source = new GatePass(options);
  const limit = () => ({ signal: AbortSignal.timeout(2_000) });
  await shownWhen(() => source.fetchIdToken(AUDIENCE, limit()));
  await shownWhen(() => source.fetchAccessToken(SCOPE, limit()));
  shown.push(shownBy(source));
}

function optionsOf(call) {
  try {
    call();
  } catch ({ message }) {
    return /it has (.*)$/
      .exec(message)[1]
      .split(', ')
      .filter((name) => name !== 'clock');
  }
  assert.fail('expected an error');
}

/** The paths of all texts in a file. */
function pathsOf(value, path = '') {
  if (typeof value === 'string') return [path];
  return Object.entries(value ?? {}).flatMap(([name, member]) =>
    pathsOf(member, path === '' ? name : `${path}/${name}`),
  );
}

function replaced(value, [name, ...others], secret) {
  return { ...value, [name]: others.length === 0 ? secret : replaced(value[name], others, secret) };
}
