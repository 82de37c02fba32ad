/**
 * Verification beside jose, in the runtime that runs this: `node bench.js [rounds] [seconds]`, the same with Deno and Bun; all
 * three by `npm run bench`. New tokens are a thousand different ones, with nothing remembered.
 *
 * Rounds are short, and within each the two take turns, so that what else the machine does meets both. A ratio is the median of
 * those of the rounds, given with the quartiles; by the clock, which is what a caller waits, and by processor time, which
 * neighbours do not change and which counts the threads of WebCrypto.
 */

import { performance } from 'node:perf_hooks';

const { process } = globalThis;
process.env.GATEPASS_BACKEND ??= 'wasm';
const begin = performance.now();
const { Verifier } = await import('gatepass');
const imported = performance.now();
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
const kinds = {
  new: {
    gatepass: (i) => verifier.verify(tokens[i % 1_000]),
    jose: (i) => jwtVerify(tokens[i % 1_000], set, options),
  },
  repeated: {
    gatepass: () => remembering.verify(tokens[0]),
    jose: () => jwtVerify(tokens[0], set, options),
  },
};
const firstBegin = performance.now();
await remembering.verify(tokens[1]);
const firstEnd = performance.now();

const [rounds = 41, seconds = 0.1] = process.argv.slice(2).map(Number);

/** Microseconds that one call takes, by the clock and of the processor. */
async function cost(job) {
  const [from, used] = [performance.now(), process.cpuUsage()];
  let count = 0;
  while (performance.now() - from < seconds * 1000) {
    for (let i = 0; i < 20; i++) await job(count++);
  }
  const { user, system } = process.cpuUsage(used);
  return { clock: ((performance.now() - from) * 1000) / count, processor: (user + system) / count };
}

const quantile = (values, part) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)];
const { bun, deno, node } = process.versions;
const report = { runtime: deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node.js ${node}` };
for (const [kind, { gatepass, jose }] of Object.entries(kinds)) {
  const costs = [];
  for (let round = -3; round < rounds; round++) {
    const isOdd = round % 2 !== 0;
    const first = await cost(isOdd ? gatepass : jose);
    const second = await cost(isOdd ? jose : gatepass);
    // The first rounds warm up.
    if (round >= 0) costs.push(isOdd ? [first, second] : [second, first]);
  }
  for (const by of ['clock', 'processor']) {
    const of = (which) => costs.map((pair) => pair[which][by]);
    const ratios = costs.map(([own, other]) => other[by] / own[by]);
    report[`${kind}, by ${by}`] = {
      gatepass_us: quantile(of(0), 0.5).toFixed(1),
      jose_us: quantile(of(1), 0.5).toFixed(1),
      ratio: quantile(ratios, 0.5).toFixed(2),
      quartiles: [0.25, 0.75].map((part) => quantile(ratios, part).toFixed(2)),
    };
  }
}
// With what has to be read and compiled first, but without the making of a key.
report.cold_start_ms = {
  import: (imported - begin).toFixed(1),
  first_verifier: (ready - loaded).toFixed(1),
  first_verification: (firstEnd - firstBegin).toFixed(1),
};
console.log(JSON.stringify(report, null, 2));
