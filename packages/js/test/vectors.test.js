/** Runs the vectors of the core's decisions: about tokens received, about each step of fetching, about the cache. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GatepassError, Verifier, VerifyError } from 'gatepass';

import { host } from '../src/node/host.js';
import { cases, read, resumed } from './support/vectors.js';

const { native } = host;

test('verify: every token is decided as the corpus says', async () => {
  const { cases, profiles, jwks } = read('verify/attack_corpus.json');
  const codes = read('verify/codes.json');
  assert.ok(cases.length > 0);
  const wrong = [];
  for (const { id, name, profile, jwks: keySet, token, now, leeway, opts, expected, reasons } of cases) {
    const verifier = new Verifier({
      preset: profile,
      audience: profiles[profile].audience,
      keys: JSON.stringify(jwks[keySet]),
      leewaySeconds: leeway,
      allowedEmails: opts?.email,
      clock: () => now * 1000,
    });
    const verdict = await verifier.verify(token).then(
      (claims) => (claims.iss === undefined ? 'accept without claims' : 'accept'),
      (error) => (error instanceof VerifyError ? error.code : `foreign ${error}`),
    );
    const right = expected === 'accept' ? ['accept'] : reasons.flatMap((reason) => codes[reason]);
    if (!right.includes(verdict)) wrong.push(`${id} ${name}: ${verdict}, expected ${right.join(' or ')}`);
  }
  assert.deepEqual(wrong, []);
});

test('verify: every algorithm, with the keys that are meant for it and with no others', async () => {
  const { cases, issuer, audience, now } = read('algorithms/algorithms.json');
  assert.ok(cases.length > 0);
  const wrong = [];
  for (const { name, keys, algorithms, token, expected } of cases) {
    const verifier = new Verifier({ issuers: issuer, audience, algorithms, keys, clock: () => now * 1000 });
    const verdict = await verifier.verify(token).then(
      () => 'accept',
      (error) => (error instanceof VerifyError ? error.code : `foreign ${error}`),
    );
    if (verdict !== expected) wrong.push(`${name}: ${verdict}, expected ${expected}`);
  }
  assert.deepEqual(wrong, []);
});

test('verify: the rules come from the preset that is named or implied', async () => {
  const { cases, keys, now } = read('presets/presets.json');
  assert.ok(cases.length > 0);
  for (const { name, audience, preset, issuers, algorithms, token, expected } of cases) {
    const given = Object.entries({ preset, issuers, algorithms }).filter(([, value]) => value !== null);
    const options = { ...Object.fromEntries(given), audience, keys, clock: () => now * 1000 };
    const verdict = await (async () => new Verifier(options).verify(token))().then(
      () => 'accept',
      (error) => (error instanceof GatepassError ? error.code : `foreign ${error}`),
    );
    assert.equal(verdict, expected, name);
  }
});

test('verify: the emulator is trusted where the environment may say so', () => {
  const { cases, audience, variables } = read('presets/emulator.json');
  assert.ok(cases.length > 0);
  const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
  const set = (values) => {
    for (const name of variables) {
      if (values[name] === undefined) delete process.env[name];
      else process.env[name] = values[name];
    }
  };
  try {
    for (const { name, environment, expected, found } of cases) {
      set(environment);
      const make = () => new Verifier({ audience });
      if (expected === 'accept') make();
      else assert.throws(make, (error) => error.code === expected && error.message.includes(found), name);
    }
  } finally {
    set(before);
  }
});

for (const { file, name, options, kind, target, transcript } of cases('acquire')) {
  test(`acquire, ${file}: ${name}`, () => {
    const source = new native.Source(JSON.stringify(options));
    const { status, op } = source.lookup(kind, target, transcript[0].now_ms, transcript[0].now_ms);
    assert.equal(status, 'fetch');
    for (const { now_ms, reply, step } of transcript) assertStep(resumed(op, now_ms, reply), step);
  });
}

for (const { file, name, options, events } of cases('cache')) {
  test(`cache, ${file}: ${name}`, () => {
    const source = new native.Source(JSON.stringify(options));
    const ops = new Map();
    for (const event of events) {
      const op = ops.get(event.op);
      if (event.do === 'resume') {
        assertStep(resumed(op, event.at_ms, event.reply), event.expect);
      } else if (event.do === 'cancel') {
        op.cancel();
      } else {
        assert.equal(event.do, 'lookup');
        const found = source.lookup(event.kind, event.target, event.at_ms, event.at_ms);
        if (event.op !== undefined) ops.set(event.op, found.op);
        assertLookup(found, event.expect, ops);
      }
    }
  });
}

function assertLookup(found, expected, ops) {
  assert.equal(found.status, expected.status);
  if (expected.header !== undefined) assert.equal(found.header, expected.header);
  if (expected.refresh !== undefined) assert.equal(found.op !== undefined, expected.refresh);
  if (expected.flight_of !== undefined) assert.equal(found.flight, ops.get(expected.flight_of).flight);
}

/** A step must be exactly the expected one; of an error, what the vector names. */
function assertStep(text, expected) {
  const step = JSON.parse(text);
  if (expected.step !== 'fail') return assert.deepEqual(step, expected);
  const named = Object.keys(expected.error);
  assert.deepEqual({ step: step.step, error: pick(step.error ?? {}, named) }, expected);
}

function pick(object, names) {
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}
