/** The module that computes signatures itself (the inspector's): every vector, and it needs nothing of the runtime for them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { unsupported } from '../../packages/js/src/driver/step-failure.js';
import { GatepassError, VerifyError } from '../../packages/js/src/errors.js';
import { gatepassOn } from '../../packages/js/src/gatepass.js';
import { hostOn } from '../../packages/js/src/host.js';
import { steps as ofNode } from '../../packages/js/src/node/driver/steps.js';
import { nativeOn } from '../../packages/js/src/wasm/native.js';
import { readVectors } from './files.js';
import { runVectors } from './vectors.js';

const FOLDER = '../../packages/js/wasm/';
const glue = createRequire(import.meta.url)(`${FOLDER}computing.cjs`);
const asked = new Set();
const native = nativeOn(glue, readFileSync(new URL(`${FOLDER}computing.wasm`, import.meta.url)), () => {
  asked.add('check_signature');
  throw new Error('nobody checks a signature');
});

/** Those of Node.js, but nobody signs. */
const steps = {
  ...ofNode,
  perform: async (step, ...others) => {
    asked.add(step.step);
    if (step.step === 'sign') throw unsupported(step);
    return await ofNode.perform(step, ...others);
  },
};

test('every vector that needs no server', async () => {
  const exported = gatepassOn(hostOn({ load: () => native, steps, warn: () => {} }));
  const gatepass = { ...exported, GatepassError, VerifyError };
  const files = readVectors();
  const corpus = files['client/attack_corpus.json'];
  const offline = corpus.cases.filter(({ kind }) => kind === 'credential_file');
  files['client/attack_corpus.json'] = { ...corpus, cases: offline };
  const runtime = { native, steps, origin: 'http://127.0.0.1:1', lacks: {} };
  const { passed, wrong } = await runVectors(gatepass, runtime, files, { rows: [] });
  assert.deepEqual(wrong, []);
  assert.ok(passed > 1150, `only ${passed}`);
  assert.ok(asked.has('check_signature') && !asked.has('sign'), [...asked].join());
});
