/** What the package exports is what its type declarations and the core say. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as gatepass from 'gatepass';
import * as middleware from 'gatepass/express';

import { errorFrom } from '../src/errors.js';
import { host } from '../src/node/host.js';

const { native } = host;
const require = createRequire(import.meta.url);
const declarations = readFileSync(new URL('../index.d.ts', import.meta.url), 'utf8');
const coreCodes = JSON.parse(native.errorCodes());

test('the declared error codes are the core’s', () => {
  const [, union] = /export type ErrorCode =([^;]*);/.exec(declarations);
  assert.deepEqual(
    [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code),
    coreCodes.map(({ code }) => code),
  );
});

test('the declared presets and algorithms are the core’s', () => {
  for (const [type, options] of [
    ['Preset', { preset: '' }],
    ['Algorithm', { algorithms: '' }],
  ]) {
    const [, union] = new RegExp(`export type ${type} =([^;]*);`).exec(declarations);
    const declared = [...union.matchAll(/'(\w+)'/g)].map(([, name]) => name);
    assert.throws(() => new gatepass.Verifier({ audience: 'a', ...options }), {
      message: new RegExp(`expected one of ${declared.join(', ')} \\(`),
    });
  }
});

test('every family of codes has its class', () => {
  const { GatepassError, CredentialsError, TransportError, VerifyError } = gatepass;
  const classes = {
    usage: GatepassError,
    credentials: CredentialsError,
    transport: TransportError,
    verify: VerifyError,
  };
  for (const { code, kind } of coreCodes) {
    const error = errorFrom({
      code,
      kind,
      message: 'm',
      retryable: true,
      claim: 'aud',
      reason: 'mismatch',
      found: 'a',
      expected: ['b', 'c'],
      refusal: { status: 401 },
    });
    assert.equal(error.constructor, classes[kind]);
    assert.ok(error instanceof GatepassError && error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.message, error.retryable, error.claim, error.refusal.status],
      [classes[kind].name, code, 'm', true, 'aud', 401],
    );
    assert.deepEqual([error.reason, error.found, error.expected], ['mismatch', 'a', ['b', 'c']]);
  }
});

test('what is declared is exported, and nothing else', () => {
  const declared = [...declarations.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(Object.keys(gatepass).sort(), declared.sort());
  assert.deepEqual(Object.keys(middleware).sort(), ['claimsOf', 'requireIdToken']);
});

test('require gives the same as import', () => {
  assert.equal(require('gatepass').GatePass, gatepass.GatePass);
  assert.equal(require('gatepass/express').requireIdToken, middleware.requireIdToken);
});

test('one version number', () => {
  assert.equal(gatepass.version, require('gatepass/package.json').version);
  assert.equal(gatepass.version, native.VERSION);
});
