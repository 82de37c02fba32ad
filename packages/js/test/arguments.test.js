/** What is of another type than it must be: Node's usual error, which names the argument and does not show the value. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import * as gatepass from 'gatepass';
import { requireIdToken } from 'gatepass/express';

const { GatePass, Verifier } = gatepass;
const AUDIENCE = 'https://receiver.example';
/** Values that a string is not, with what a message says of them. */
const NO_STRINGS = [
  [null, 'null'],
  [42, 'a number'],
  [{ hush: 'hush' }, 'an object'],
  [() => 'hush', 'a function'],
  [Symbol('hush'), 'a symbol'],
];
const NO_STRING = [
  ...NO_STRINGS,
  [['hush'], 'an array'],
  [Promise.resolve('hush'), 'a promise: is an await missing?'],
];

/** Calls with one argument that must be a string. */
const CALLS = {
  audience: [
    (value) => gatepass.fetchIdToken(value),
    (value) => new GatePass().fetchIdToken(value),
    (value) => new GatePass().fetchIdTokenInfo(value),
    (value) => new GatePass().fetchSelfSignedJwt(value),
    (value) => new GatePass().getIdTokenClient(value),
    async (value) => gatepass.sameAudienceSpellings(value),
  ],
  token: [
    (value) => gatepass.verifyIdToken(value, { audience: AUDIENCE }),
    (value) => new Verifier({ audience: AUDIENCE }).verify(value),
    async (value) => new Verifier({ audience: AUDIENCE }).explain(value),
    async (value) => gatepass.explain(value),
    async (value) => new GatePass().invalidate(value),
  ],
};

for (const [name, calls] of Object.entries(CALLS)) {
  test(`${name} must be a string`, async () => {
    for (const [value, called] of NO_STRING) {
      for (const call of calls) await assertNamed(call(value), `"${name}" argument`, called);
    }
  });
}

test('arguments of other types', async () => {
  const client = await new GatePass().getIdTokenClient();
  for (const [value, called] of NO_STRINGS) {
    await assertNamed(gatepass.fetchAccessToken(value), '"scopes" argument', called);
    if (value?.hush) continue;
    await assertNamed(
      new Verifier({ audience: AUDIENCE }).verifyHeaders(value),
      '"headers" argument',
      called,
    );
    await assertNamed(async () => new GatePass(value), '"options" argument', called);
    await assertNamed(async () => new Verifier(value), '"options" argument', called);
    await assertNamed(async () => requireIdToken(value), '"options" argument', called);
    await assertNamed(gatepass.fetchIdToken(AUDIENCE, value), '"options" argument', called);
    await assertNamed(gatepass.verifyIdToken('a', value), '"options" argument', called);
    await assertNamed(client.request(value), '"options" argument', called);
    await assertNamed(
      gatepass.fetchIdToken(AUDIENCE, { signal: value }),
      '"options.signal" property',
      called,
    );
    await assertNamed(client.getRequestHeaders(value), '"url" argument', called);
    await assertNamed(client.fetch(value), '"input" argument', called);
    await assertNamed(async () => gatepass.audienceForUrl(value), '"url" argument', called);
  }
});

test('a number that is none', async () => {
  for (const leewaySeconds of [NaN, Infinity]) {
    const call = async () => new Verifier({ audience: AUDIENCE, leewaySeconds });
    await assertNamed(call, '"options.leewaySeconds" property', 'a number');
  }
  // What a number must be is the core's to say, and it names the option.
  for (const leewaySeconds of [-1, 1.5]) {
    assert.throws(() => new Verifier({ audience: AUDIENCE, leewaySeconds }), {
      code: 'INVALID_OPTION',
      message: /^`leewaySeconds` does not fit: .* expected a whole number from 0/,
    });
  }
});

test('every option is named that is of another type', async () => {
  const options = {
    GatePass: [(options) => new GatePass(options), optionsOf(() => new GatePass({ none: 1 }))],
    Verifier: [(options) => new Verifier(options), optionsOf(() => new Verifier({ none: 1 }))],
  };
  for (const [make, names] of Object.values(options)) {
    assert.ok(names.length > 10);
    for (const name of names) {
      const call = async () => make({ [name]: Symbol('hush') });
      await assertNamed(call, `"options.${name}" property`, 'a symbol');
      await assertNamed(async () => make({ [name]: null }), `"options.${name}" property`, 'null');
    }
  }
  const suppliers = { own: 'hush' };
  await assertNamed(async () => new GatePass({ suppliers }), '"options.suppliers.own" property', 'a string');
});

/** The options that there are, as the error about another one lists them. */
function optionsOf(call) {
  try {
    call();
  } catch ({ message }) {
    return /it has (.*)$/.exec(message)[1].split(', ');
  }
  assert.fail('expected an error');
}

async function assertNamed(promise, name, called) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof TypeError, error);
    assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
    assert.ok(error.message.startsWith(`The ${name} must be `), error.message);
    assert.ok(error.message.endsWith(`. Received ${called}`), error.message);
    // The stack names this test's own functions.
    return !inspect({ ...error, message: error.message }).includes('hush');
  });
}
