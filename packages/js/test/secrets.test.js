/** However an error or an object is printed, it shows none of the secrets that went over the border. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { errorFrom } from '../src/errors.js';
import { host } from '../src/node/host.js';
import { secretsIn, secretsOf, shownBy } from './support/secrets.js';
import { cases, resumed } from './support/vectors.js';

const { native } = host;
const failing = cases('acquire').filter(({ transcript }) => transcript.at(-1).step.step === 'fail');
assert.ok(failing.length > 0);

for (const { file, name, options, kind, target, transcript } of failing) {
  test(`the error of a transcript, ${file}: ${name}`, () => {
    const { op } = new native.Source(JSON.stringify(options)).lookup(
      kind,
      target,
      transcript[0].now_ms,
      transcript[0].now_ms,
    );
    const steps = transcript.map(({ now_ms, reply }) => JSON.parse(resumed(op, now_ms, reply)));
    const shown = shownBy(errorFrom(steps.at(-1).error));
    const secrets = secretsIn(options.credentials_json ?? '').concat(
      transcript.flatMap(({ reply }) => secretsOf(reply)),
    );
    for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} is shown: ${shown}`);
  });
}

test('what is looked for', () => {
  const key = {
    private_key: '-----BEGIN KEY-----\nfirstLineOfTheKey\n',
    token_uri: 'https://oauth2.example/token',
  };
  const values = { HOME: '/home/of/somebody', AWS_SECRET_ACCESS_KEY: 'accessKeyOfSomebody' };
  const found = (reply) => [...new Set(secretsOf(reply))];
  assert.deepEqual(found({ text: JSON.stringify(key) }), ['firstLineOfTheKey']);
  assert.deepEqual(found({ values }), ['accessKeyOfSomebody']);
  const refusal = {
    status: 403,
    body: 'Permission iam.serviceAccounts.getOpenIdToken denied to eyJhbGciOiJub25lIn0.e30.c2ln',
  };
  assert.deepEqual(found(refusal), ['eyJhbGciOiJub25lIn0.e30.c2ln']);
  const stdout = 'header.payload.signatureOfTheToken';
  assert.deepEqual(found({ stdout: `${stdout}\n` }), [stdout, 'signatureOfTheToken']);
});
