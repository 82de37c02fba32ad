/**
 * Verification next to jose, in every JavaScript runtime: `npm run bench`, which writes BENCH.md; `node bench/index.js [rounds]`
 * for more or fewer rounds than 41. New tokens are a thousand different ones: with nothing remembered, and in a memory that is full,
 * in which each takes the place of another.
 *
 * Rounds are short, and within each the two take turns, so that what else the machine does meets both. A ratio is the median of
 * those of the rounds, given with the quartiles; by the clock, which is what a caller waits, and by processor time, which
 * neighbours do not change and which counts the threads of WebCrypto.
 */

import { generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

import { packagesFor } from './packages.js';
import { report } from './report.js';
import { nameOf, runtimes } from './runtimes.js';
import { Session } from './session.js';

const PAGE = fileURLToPath(new URL('../BENCH.md', import.meta.url));

const [rounds = 41] = process.argv.slice(2).map(Number);
/** Turns before those, in which code is still compiled again, for speed. */
const WARM_UP = 15;
/** Starts of each runtime with each library, and without one. */
const STARTS = Math.ceil(rounds / 4);
/** Microseconds of the processor that a turn should take. */
const TURN = 150_000;
/** Each is a string, which has to be there before. */
const MOST_TOKENS = 32_768;
const DISTINCT = 1_000;

const KINDS = ['new', 'replacing', 'repeated'];
const LIBRARIES = ['gatepass', 'jose'];

/** What is verified: tokens of Google's kind, and the key set that has their key. */
function material(count) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a', alg: 'RS256', use: 'sig' }] };
  const audience = 'https://receiver.example';
  const issuer = 'https://accounts.google.com';
  const email = 'caller@project.iam.gserviceaccount.com';
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const tokens = Array.from({ length: count }, (_, i) => {
    const sub = `${107691503500061507151n + BigInt(i)}`;
    const claims = { iss: issuer, aud: audience, azp: email, email, email_verified: true, sub, iat: now, exp: now + 3600 };
    const message = `${encoded({ alg: 'RS256', kid: 'a', typ: 'JWT' })}.${encoded(claims)}`;
    return `${message}.${sign('sha256', Buffer.from(message), privateKey).toString('base64url')}`;
  });
  return { keys, audience, issuer, email, tokens };
}

/** Kind → library → microseconds of one token in each round, by the clock and of the processor. */
async function verifying(runtime) {
  const { gatepass, jose } = packagesFor(runtime.condition);
  const session = await Session.start(runtime, material(DISTINCT), { ...gatepass, ...jose });
  const costs = {};
  for (const kind of KINDS) {
    const turns = [];
    for (const library of LIBRARIES) turns.push(await warm(session, { library, kind, count: 1 }));
    costs[kind] = Object.fromEntries(LIBRARIES.map((library) => [library, []]));
    for (let round = 0; round < rounds; round++) {
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
        const { clock, processor } = await session.take(turn);
        costs[kind][turn.library].push({ clock: clock / turn.count, processor: processor / turn.count });
      }
    }
  }
  await session.stop();
  return costs;
}

/** Takes turns until code is hot; gives one that is as long as it should be then. */
async function warm(session, turn) {
  // This one has the library loaded.
  await session.take(turn);
  for (let round = 0; round < WARM_UP; round++) {
    const { processor } = await session.take(turn);
    const count = Math.ceil(turn.count * Math.min(TURN / processor, 8));
    turn = { ...turn, count: Math.min(count, MOST_TOKENS) };
  }
  return turn;
}

/** Library → milliseconds of each start until a token is verified, beyond those of a start without a library. */
async function starting(runtime) {
  const packages = packagesFor(runtime.condition);
  const one = material(1);
  const start = async (library) => {
    const session = await Session.start(runtime, one, packages[library] ?? {});
    await session.take({ library, kind: 'new', count: library === null ? 0 : 1 });
    const { age } = session;
    await session.stop();
    return age / 1000;
  };
  const times = Object.fromEntries(LIBRARIES.map((library) => [library, []]));
  for (let round = 0; round < STARTS; round++) {
    const empty = await start(null);
    for (const library of LIBRARIES) times[library].push((await start(library)) - empty);
  }
  return times;
}

const [load] = loadavg();
const results = [];
for (const runtime of runtimes()) {
  await runtime.open();
  try {
    results.push({ name: nameOf(runtime), costs: await verifying(runtime), starts: await starting(runtime) });
  } finally {
    await runtime.close();
  }
  console.log(`${results.at(-1).name}: measured`);
}
const text = report(results, { rounds, starts: STARTS, load });
writeFileSync(PAGE, text);
console.log(`\n${text}`);
