/** The vectors of the core's decisions, in whatever runtime: it needs nothing but the package, the files, and JavaScript. */

import { fetchWithCredentials, runClientVectors } from './client.js';

/**
 * @param {object} gatepass the package
 * @param {Runtime} runtime
 * @param {Record<string, object>} files path below tests/vectors → what is in it
 * @param {object} credentials what {@link fetchWithCredentials} takes
 * @returns {Promise<{ passed: number, wrong: string[], skipped: Record<string, string>, granted: object }>}
 */
export async function runVectors(gatepass, runtime, files, credentials) {
  const { outcome, note } = begun();
  outcome.skipped = {};
  const skip = (name, why) => (outcome.skipped[name] = why);
  await runVerifying(gatepass, files, note);
  for (const [path, { cases = [] }] of Object.entries(files)) {
    for (const one of cases) {
      if (path.startsWith('acquire/')) await acquire(runtime, one, `${path}: ${one.name}`, note);
      else if (path.startsWith('cache/')) await cache(runtime, one, `${path}: ${one.name}`, note);
    }
  }
  await runSigning(runtime, note);
  explanation(gatepass, runtime, files, note);
  await runClientVectors(runtime, files['client/attack_corpus.json'], note, skip);
  return { ...outcome, granted: await fetchWithCredentials(runtime, credentials, skip) };
}

/** The vectors of what verifies alone, with a package that may have nothing else. */
export async function runVerifyVectors(gatepass, files) {
  const { outcome, note } = begun();
  await runVerifying(gatepass, files, note);
  return outcome;
}

function begun() {
  const outcome = { passed: 0, wrong: [] };
  const note = (name, found, expected) => {
    if (same(found, expected)) outcome.passed += 1;
    else outcome.wrong.push(`${name}: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
  };
  return { outcome, note };
}

async function runVerifying(gatepass, files, note) {
  for (const [path, file] of Object.entries(files)) {
    for (const one of file.cases ?? []) {
      const name = `${path}: ${one.name}`;
      if (path === 'verify/attack_corpus.json')
        await verify(gatepass, file, files['verify/codes.json'], one, note);
      else if (path.startsWith('algorithms/')) await algorithms(gatepass, file, one, name, note);
      else if (path === 'presets/presets.json') await presets(gatepass, file, one, name, note);
    }
  }
}

/** Verifies a token by keys from this URL, which gives those of {@link fetchedCase}; gives the token's claims. */
export async function verifyByUrl({ Verifier }, files, keysUrl) {
  const { token, algorithms } = fetchedCase(files);
  const { issuer, audience, now } = files['algorithms/algorithms.json'];
  const verifier = new Verifier({ issuers: issuer, audience, algorithms, keysUrl, clock: () => now * 1000 });
  return await verifier.verify(token);
}

/** A case whose keys can be fetched as well. */
export function fetchedCase(files) {
  return files['algorithms/algorithms.json'].cases.find(({ expected }) => expected === 'accept');
}

async function verify({ Verifier, VerifyError }, { profiles, jwks }, codes, one, note) {
  const { id, name, profile, jwks: keySet, token, now, leeway, opts, expected, reasons } = one;
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
  note(`verify ${id} ${name}`, right.includes(verdict) ? right : verdict, right);
}

async function algorithms({ Verifier, VerifyError }, { issuer, audience, now }, one, name, note) {
  const { keys, algorithms, token, expected } = one;
  const verifier = new Verifier({ issuers: issuer, audience, algorithms, keys, clock: () => now * 1000 });
  const verdict = await verifier.verify(token).then(
    () => 'accept',
    (error) => (error instanceof VerifyError ? error.code : `foreign ${error}`),
  );
  note(name, verdict, expected);
}

async function presets({ GatepassError, Verifier }, { keys, now }, one, name, note) {
  const { audience, preset, issuers, algorithms, token, expected } = one;
  const given = Object.entries({ preset, issuers, algorithms }).filter(([, value]) => value !== null);
  const options = { ...Object.fromEntries(given), audience, keys, clock: () => now * 1000 };
  const verdict = await (async () => new Verifier(options).verify(token))().then(
    () => 'accept',
    (error) => (error instanceof GatepassError ? error.code : `foreign ${error}`),
  );
  note(name, verdict, expected);
}

async function acquire(runtime, { options, kind, target, transcript }, name, note) {
  const source = new runtime.native.Source(JSON.stringify(options));
  const [{ now_ms: begin }] = transcript;
  const { status, op } = source.lookup(kind, target, begin, begin);
  note(name, status, 'fetch');
  for (const { now_ms, reply, step } of transcript) {
    note(name, shown(await resumed(runtime, op, now_ms, reply), step), step);
  }
}

async function cache(runtime, { options, events }, name, note) {
  const source = new runtime.native.Source(JSON.stringify(options));
  const ops = new Map();
  for (const event of events) {
    const { expect, at_ms } = event;
    const op = ops.get(event.op);
    if (event.do === 'resume') {
      note(name, shown(await resumed(runtime, op, at_ms, event.reply), expect), expect);
    } else if (event.do === 'cancel') {
      op.cancel();
    } else {
      const found = source.lookup(event.kind, event.target, at_ms, at_ms);
      if (event.op !== undefined) ops.set(event.op, found.op);
      note(name, found.status, expect.status);
      if (expect.header !== undefined) note(name, found.header, expect.header);
      if (expect.refresh !== undefined) note(name, found.op !== undefined, expect.refresh);
      if (expect.flight_of !== undefined) note(name, found.flight, ops.get(expect.flight_of).flight);
    }
  }
}

/** The step after a reply; a signature that the core asks for is made first, as no vector has one. */
async function resumed({ steps }, op, now, reply) {
  const step = op.resume(now, now, JSON.stringify(reply));
  if (JSON.parse(step).step !== 'sign') return step;
  return op.resume(now, now, JSON.stringify(await steps.perform(JSON.parse(step), {})));
}

const GDCH = {
  type: 'gdch_service_account',
  format_version: '1',
  project: 'shop',
  name: 'orders',
  private_key_id: 'k',
  token_uri: 'https://gdc.example/token',
};
/** TEST KEY, NOT A SECRET: that of tests/vectors/generate.py, as OpenSSL writes it (RFC 5915). */
const EC_KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAliGuMbLZkvGQAJsI0wsZ0cyzRioBTDdNwCoCC/+OCyoAoGCCqGSM49
AwEHoUQDQgAEQddx5UDsNmXFni9WQwsA3lKl6iI/vF+AwrmVnB1h1ROD+6b/yUW8
xnVttFMRWqNMze6HN8/5EgDBf1kvUowb4Q==
-----END EC PRIVATE KEY-----
`;
const EC_PUBLIC_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'Qddx5UDsNmXFni9WQwsA3lKl6iI_vF-AwrmVnB1h1RM',
  y: 'g_um_8lFvMZ1bbRTEVqjTM3uhzfP-RIAwX9ZL1KMG-E',
};

/** Signatures of the runtime's own: by a key on a curve, which is no vector's, as they differ each time; and by one that is none. */
async function runSigning(runtime, note) {
  const assertion = await assertionBy(runtime, EC_KEY);
  const [message, signature] = [assertion.slice(0, assertion.lastIndexOf('.')), assertion.split('.')[2]];
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('jwk', EC_PUBLIC_KEY, algorithm, false, ['verify']);
  const bytes = Uint8Array.from(atob(signature.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  const isValid = await crypto.subtle.verify(algorithm, key, bytes, new TextEncoder().encode(message));
  note('signing ES256', isValid, true);
  // Its point lies on the curve no more.
  const damaged = EC_KEY.replace('QgAEQddx', 'QgAERddx');
  note('signing with a damaged key', await assertionBy(runtime, damaged), 'CREDENTIALS_FILE_INVALID');
}

/** Whoever explains does not wait: the signature is checked by what the runtime does at once, or left open. */
function explanation({ explain }, { leavesSignaturesOpen = false }, files, note) {
  const { token, algorithms, keys } = fetchedCase(files);
  const { issuer, audience, now } = files['algorithms/algorithms.json'];
  const options = { issuers: issuer, audience, algorithms, keys, clock: () => now * 1000 };
  const { accepted, findings } = explain(token, options);
  const isOpen = findings.some(({ cause }) => cause === 'signature_not_checked');
  note('explanation', { accepted, isOpen }, { accepted: leavesSignaturesOpen ? null : true, isOpen: leavesSignaturesOpen });
}

/** The assertion that a service account of Google Distributed Cloud sends, or the code of the error. */
async function assertionBy(runtime, privateKey) {
  const credentials_json = JSON.stringify({ ...GDCH, private_key: privateKey });
  const options = { seed: 1, credentials_json, gdch_audience: 'https://api.example' };
  const { op } = new runtime.native.Source(JSON.stringify(options)).lookup('access_token', 'a', 0, 0);
  const env = { reply: 'env', values: { GATEPASS_TRUSTED_ENDPOINTS: 'gdc.example' } };
  let step = JSON.parse(await resumed(runtime, op, 0, { reply: 'start' }));
  while (step.step === 'read_env') step = JSON.parse(await resumed(runtime, op, 0, env));
  if (step.step === 'fail') return step.error.code;
  return new URLSearchParams(step.body).get('subject_token');
}

/** A step as a vector writes it: exactly, but of an error only what the vector names. */
function shown(text, expected) {
  const step = JSON.parse(text);
  if (expected.step !== 'fail') return step;
  const named = Object.keys(expected.error).map((name) => [name, step.error?.[name]]);
  return { step: step.step, error: Object.fromEntries(named) };
}

/** Whether two values of JSON are the same, whatever the order of their members. */
function same(one, other) {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return one === other;
  const [own, others] = [Object.keys(one), Object.keys(other)];
  return own.length === others.length && own.every((name) => same(one[name], other[name]));
}
