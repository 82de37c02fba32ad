/**
 * Verification beside jose, in the runtime that runs this, in interleaved rounds: `node bench.js [rounds] [seconds]`, the same
 * with Deno and Bun. New tokens are a thousand different ones, with nothing remembered; the ratios are what counts.
 */

import { performance } from 'node:perf_hooks';

const { process } = globalThis;
process.env.GATEPASS_BACKEND ??= 'wasm';
const begin = performance.now();
const { Verifier } = await import('gatepass');
const AUDIENCE = 'https://receiver.example';
const made = () => new Verifier({ audience: AUDIENCE, keys: KEYS, rememberedBytes: 1 });
const { privateKey, publicKey } = await crypto.subtle.generateKey(
  {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
  true,
  ['sign', 'verify'],
);
const KEYS = { keys: [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'a', use: 'sig' }] };
delete KEYS.keys[0].key_ops;
const loaded = performance.now();
const verifier = made();
const ready = performance.now();

const { createLocalJWKSet, jwtVerify } = await import('jose');
const set = createLocalJWKSet(KEYS);

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000);
const tokens = [];
for (let i = 0; i < 1_000; i++) {
  const claims = {
    iss: 'https://accounts.google.com',
    aud: AUDIENCE,
    azp: 'caller@project.iam.gserviceaccount.com',
    email: 'caller@project.iam.gserviceaccount.com',
    email_verified: true,
    sub: `10769150350006150715113082${i}`,
    iat: now,
    exp: now + 3600,
  };
  const message = `${encoded({ alg: 'RS256', kid: 'a', typ: 'JWT' })}.${encoded(claims)}`;
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(message));
  tokens.push(`${message}.${Buffer.from(signature).toString('base64url')}`);
}

const remembering = new Verifier({ audience: AUDIENCE, keys: KEYS });
const options = { audience: AUDIENCE, issuer: 'https://accounts.google.com', algorithms: ['RS256'] };
const jobs = {
  'new, gatepass': (i) => verifier.verify(tokens[i % 1_000]),
  'new, jose': (i) => jwtVerify(tokens[i % 1_000], set, options),
  'repeated, gatepass': () => remembering.verify(tokens[0]),
  'repeated, jose': () => jwtVerify(tokens[0], set, options),
};
const [rounds = 5, seconds = 0.4] = process.argv.slice(2).map(Number);
const rates = Object.fromEntries(Object.keys(jobs).map((name) => [name, []]));
for (let round = -1; round < rounds; round++) {
  for (const [name, job] of Object.entries(jobs)) {
    const from = performance.now();
    let count = 0;
    while (performance.now() - from < seconds * 1000) {
      for (let i = 0; i < 20; i++) await job(count++);
    }
    // The first round warms up.
    if (round >= 0) rates[name].push((count / (performance.now() - from)) * 1000);
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const { bun, deno, node } = process.versions;
const report = { runtime: deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node.js ${node}` };
for (const kind of ['new', 'repeated']) {
  const [own, jose] = [rates[`${kind}, gatepass`], rates[`${kind}, jose`]];
  const ratios = own.map((rate, i) => rate / jose[i]);
  report[kind] = {
    gatepass: Math.round(median(own)),
    jose: Math.round(median(jose)),
    ratio: median(ratios).toFixed(2),
    from: Math.min(...ratios).toFixed(2),
    to: Math.max(...ratios).toFixed(2),
  };
}
report.first_verifier_ms = (ready - loaded).toFixed(1);
report.import_ms = (loaded - begin).toFixed(1);
console.log(JSON.stringify(report));
