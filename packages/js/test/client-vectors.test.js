/** Runs the attack corpus of the fetching side: hostile credential files, audiences and answers, by the public API. */

import assert from 'node:assert/strict';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { after, beforeEach, test } from 'node:test';
import timers from 'node:timers/promises';
import { inspect } from 'node:util';

import { GatePass, GatepassError, Verifier } from 'gatepass';

import { setEnvironment } from './support/emulator.js';
import { serve } from './support/servers.js';
import { read } from './support/vectors.js';

const { base_now: baseNow, cases } = read('client/attack_corpus.json');
const NOW = baseNow * 1000;
const AUDIENCE = 'https://orders-7f3kq2x4ca-uc.a.run.app';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** A token whose kid no set has: it is refused for that once there are keys. */
const SERVICE_ACCOUNT = JSON.parse(cases[0].input);
/** A token is not handed out in its last moments: the receiver must still find it valid. */
const LAST_MOMENTS = 10_000;
/** Reasons of the corpus, and the error codes for each. */
const CODES = {
  bad_endpoint: ['ENDPOINT_NOT_ALLOWED'],
  bad_source: ['CREDENTIALS_FILE_INVALID', 'EXECUTABLE_NOT_ALLOWED'],
  bad_file: ['CREDENTIALS_FILE_INVALID', 'CREDENTIALS_TYPE_UNKNOWN'],
  bad_audience_argument: ['INVALID_AUDIENCE'],
};
const RUNNERS = {
  credential_file: credentialFile,
  audience,
  token_response: tokenResponse,
  redirect: tokenResponse,
  metadata_response: metadataResponse,
  jwks_response: jwksResponse,
  header_value: headerValue,
};

/** What the package has waited for, in milliseconds; nothing waits here. */
let waits;
/** Connections by TLS, which none of these cases may see through: all servers here are plain ones. */
let connections;

const { setTimeout: realSleep } = timers;
const { createConnection } = https.Agent.prototype;
timers.setTimeout = async (milliseconds) => void waits.push(milliseconds);
syncBuiltinESMExports();
https.Agent.prototype.createConnection = () => {
  connections += 1;
  throw new Error('there is no network');
};
after(() => {
  timers.setTimeout = realSleep;
  syncBuiltinESMExports();
  https.Agent.prototype.createConnection = createConnection;
});
beforeEach(() => {
  waits = [];
  connections = 0;
  setEnvironment({});
});

assert.ok(cases.length > 0);
for (const case_ of cases) {
  test(`${case_.id} ${case_.kind}: ${case_.name}`, async (t) => await RUNNERS[case_.kind](t, case_));
}

/** Accepted: the next that is needed is not there, the file with the subject token or the network. */
async function credentialFile(_t, { input, env, expected, reason }) {
  setEnvironment(env ?? {});
  const gatepass = new GatePass({ credentials: input, clock: () => NOW });
  const error = await rejection(gatepass.fetchAccessToken(SCOPE));
  if (expected === 'accept') {
    assert.ok(['CONNECTION_FAILED', 'SUBJECT_TOKEN_FAILED'].includes(error.code), error);
  } else {
    assert.ok(CODES[reason].includes(error.code), error);
    assert.equal(connections, 0);
  }
}

async function audience(t, { input, expected, reason, wire }) {
  const server = await answering(t, [{ status: 404 }]);
  setEnvironment({ GCE_METADATA_HOST: server.host });
  const error = await rejection(new GatePass({ clock: () => NOW }).fetchIdToken(input));
  if (expected === 'accept') {
    assert.ok(server.asked[0].includes(`?${wire}&`), server.asked[0]);
  } else {
    assert.ok(CODES[reason].includes(error.code), error);
    assert.deepEqual(server.asked, []);
  }
}

/** The answer of a token endpoint, to a request for the kind of token that its body is about. */
async function tokenResponse(t, case_) {
  const server = await answering(t, repertoire(case_));
  const trusted = {
    credentials: { ...SERVICE_ACCOUNT, token_uri: server.url },
    trustedEndpoints: server.host,
  };
  await assertOutcome(case_, server, trusted, (gatepass) =>
    isAccess(case_) ? gatepass.fetchAccessToken(SCOPE) : gatepass.fetchIdToken(AUDIENCE),
  );
}

async function metadataResponse(t, case_) {
  const server = await answering(t, repertoire(case_));
  setEnvironment({ GCE_METADATA_HOST: server.host });
  await assertOutcome(case_, server, {}, (gatepass) => gatepass.fetchIdToken(AUDIENCE));
}

/**
 * A key set's life shows in when a caller waits for new keys: a day after its end. A token that none of the keys has
 * signed is refused until then, and nothing is asked.
 */
async function jwksResponse(t, case_) {
  const server = await answering(t, [case_, case_]);
  let now = NOW;
  const keysUrl = `${server.url}/keys`;
  const verifier = new Verifier({ preset: 'google', anyAudience: true, keysUrl, clock: () => now });
  const keys = case_.expected === 'keep_old_keys' ? {} : JSON.parse(case_.body);
  const kid = keys.keys?.find((key) => key.kid)?.kid ?? Object.keys(keys)[0] ?? 'a';
  const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid })).toString('base64url');
  const refusal = async () => (await rejection(verifier.verify(`${header}.e30.${'AAAA'.repeat(86)}`))).code;

  if (case_.expected === 'keep_old_keys') return assert.equal(await refusal(), 'KEYS_UNAVAILABLE');
  const end = NOW + (case_.expected.ttl + 86_400) * 1000;
  for (now of [NOW, end - 1]) {
    assert.equal(await refusal(), 'BAD_SIGNATURE');
    assert.equal(server.asked.length, 1);
  }
  now = end;
  assert.equal(await refusal(), 'BAD_SIGNATURE');
  assert.equal(server.asked.length, 2);
}

async function headerValue(t, { input, expected }) {
  const body = JSON.stringify({ access_token: input, expires_in: 3599 });
  const server = await answering(t, [{ status: 200, body }]);
  const credentials = { ...SERVICE_ACCOUNT, token_uri: server.url };
  const fetching = new GatePass({ credentials, trustedEndpoints: server.host }).fetchAccessToken('a');
  if (expected === 'accept') assert.equal(await fetching, input);
  else await rejection(fetching);
}

/** Fetches a token from a server that answers first as the case says. */
async function assertOutcome({ expected, expires_at }, server, options, fetch) {
  let now = NOW;
  const gatepass = new GatePass({ ...options, clock: () => now });
  switch (expected) {
    case 'token':
      await fetch(gatepass);
      now = expires_at * 1000 - LAST_MOMENTS - 1;
      await fetch(gatepass);
      now += 1;
      return await rejection(fetch(gatepass));
    case 'token_short':
    case 'token_clamped':
      await fetch(gatepass);
      now += expected === 'token_short' ? 300_000 : 43_200_000;
      return await rejection(fetch(gatepass));
    case 'retry':
    case 'retry_after_7':
      await fetch(gatepass);
      assert.deepEqual([server.asked.length, waits.length], [2, 1]);
      if (expected === 'retry_after_7') assert.deepEqual(waits, [7000]);
      return;
    case 'fail':
    case 'fail_no_secret_in_message':
      await rejection(fetch(gatepass));
      return assert.deepEqual([server.asked.length, waits], [1, []]);
    default:
      assert.fail(`an unknown expectation: ${expected}`);
  }
}

/** What a server says in turn: what the case says, and if that is to be asked about again, a token. */
function repertoire(case_) {
  const isGood = ({ kind, expected, ...other }) =>
    kind === case_.kind && expected === 'token' && isAccess(other) === isAccess(case_);
  return case_.expected.startsWith('retry') ? [case_, cases.find(isGood)] : [case_];
}

function isAccess({ body }) {
  return body !== undefined && body.includes('access_token');
}

/** A server that gives these answers in turn, and then none that is of use; `asked` holds what it was asked for. */
async function answering(t, answers) {
  const asked = [];
  const url = await serve(t, (req, res) => {
    const { status, headers, location, body } = answers[asked.length] ?? { status: 404 };
    asked.push(req.url);
    res.writeHead(status, { ...headers, ...(location && { location }) }).end(body);
  });
  return { url, host: new URL(url).host, asked };
}

/** An error of gatepass's own; none shows a token. */
async function rejection(promise) {
  const error = await promise.then(
    () => assert.fail('expected a rejection'),
    (error) => error,
  );
  assert.ok(error instanceof GatepassError, error);
  assert.doesNotMatch(inspect(error, { showHidden: true, depth: Infinity }), /eyJ|ya29|MIIEv/);
  return error;
}
