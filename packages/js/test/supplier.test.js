/** Subject tokens from the user's own functions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CredentialsError, GatePass } from 'gatepass';

import { setEnvironment } from './support/emulator.js';
import { serve } from './support/servers.js';
import { assertFails, replyTo } from './support/steps.js';

const AUDIENCE = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/own';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const STEP = { step: 'supply', supplier: 'own', audience: AUDIENCE, token_type: TOKEN_TYPE };

test('a supplier is asked with what the credentials say, and may take its time', async () => {
  const asked = [];
  const supplier = (context) => {
    asked.push(context);
    return 'subject';
  };
  for (const own of [supplier, async (context) => supplier(context)]) {
    assert.deepEqual(await replyTo(STEP, { suppliers: { own } }), { reply: 'text', text: 'subject' });
  }
  const context = { audience: AUDIENCE, tokenType: TOKEN_TYPE };
  assert.deepEqual(
    asked.map(({ signal, ...others }) => (assert.ok(signal instanceof AbortSignal), others)),
    [context, context],
  );
});

test('a name that nobody has registered', async () => {
  const { message } = await assertFails(STEP, 'not_found', { suppliers: { a: () => '', b: () => '' } });
  assert.equal(message, 'no supplier of this name is registered; registered are: a, b');
  assert.match((await assertFails(STEP, 'not_found')).message, /registered are: none$/);
  await assertFails({ ...STEP, supplier: 'toString' }, 'not_found', { suppliers: {} });
});

test('of what a supplier throws, only the type reaches the core', async () => {
  class LoginError extends Error {}
  for (const [thrown, message] of [
    [new LoginError('hush'), 'LoginError'],
    ['hush', 'String'],
    [null, 'object'],
  ]) {
    const own = () => {
      throw thrown;
    };
    assert.equal((await assertFails(STEP, 'other', { suppliers: { own } })).message, message);
  }
  const { message } = await assertFails(STEP, 'other', { suppliers: { own: () => ['hush'] } });
  assert.equal(message, 'it returned Array, not text');
});

test('a supplier that takes too long is left, and learns of it', async () => {
  let told;
  const own = ({ signal }) => {
    signal.addEventListener('abort', () => (told = signal.reason));
    return new Promise(() => {});
  };
  const { message } = await assertFails({ ...STEP, timeout_ms: 20 }, 'timeout', { suppliers: { own } });
  assert.equal(message, 'not finished within 20 ms');
  assert.equal(told.message, message);
});

test('a caller who leaves does not wait for the supplier, which goes on for others', async (t) => {
  const url = await serve(t, (_req, res) => {
    res.end(JSON.stringify({ access_token: 'federated', token_type: 'Bearer', expires_in: 3600 }));
  });
  const leaver = new AbortController();
  let subject;
  const given = new Promise((resolve) => (subject = resolve));
  const own = ({ signal }) => {
    assert.ok(!signal.aborted);
    leaver.abort();
    return given;
  };
  const gatepass = sourceOf(url, { own });
  await assert.rejects(gatepass.fetchAccessToken(SCOPE, { signal: leaver.signal }), { name: 'AbortError' });
  const waiting = gatepass.fetchAccessToken(SCOPE);
  subject('subject');
  assert.equal(await waiting, 'federated');
});

test('what a supplier gives is exchanged for a token', async (t) => {
  const exchanged = [];
  const url = await serve(t, async (req, res) => {
    exchanged.push(new URLSearchParams(Buffer.concat(await req.toArray()).toString()).get('subject_token'));
    res.end(JSON.stringify({ access_token: 'federated', token_type: 'Bearer', expires_in: 3600 }));
  });
  const gatepass = sourceOf(url, { own: async () => 'subject' });
  assert.equal(await gatepass.fetchAccessToken(SCOPE), 'federated');
  assert.deepEqual(exchanged, ['subject']);
});

test('what a supplier throws is the cause of the error', async () => {
  const cause = new RangeError('hush');
  const gatepass = sourceOf('http://127.0.0.1:1', { own: async () => Promise.reject(cause) });
  await assert.rejects(gatepass.fetchAccessToken(SCOPE), (error) => {
    assert.ok(error instanceof CredentialsError);
    assert.deepEqual([error.code, error.cause], ['SUBJECT_TOKEN_FAILED', cause]);
    assert.match(error.message, /"own" failed: RangeError/);
    return !error.message.includes('hush');
  });
});

test('an error that no supplier is to blame for has no cause', async () => {
  const gatepass = sourceOf('http://127.0.0.1:1', { other: () => 'subject' });
  await assert.rejects(gatepass.fetchAccessToken(SCOPE), (error) => {
    assert.equal(error.code, 'SUBJECT_TOKEN_FAILED');
    assert.match(error.message, /registered are: other/);
    return !('cause' in error);
  });
});

function sourceOf(url, suppliers) {
  setEnvironment({});
  const credentials = {
    type: 'external_account',
    audience: AUDIENCE,
    subject_token_type: TOKEN_TYPE,
    token_url: `${url}/v1/token`,
    credential_source: { supplier: 'own' },
  };
  return new GatePass({ credentials, suppliers, trustedEndpoints: [new URL(url).host] });
}
