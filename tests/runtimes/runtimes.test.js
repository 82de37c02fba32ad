/**
 * The vectors, by the package with its WebAssembly module, in every JavaScript runtime: each real, from npm; Chromium is the
 * system's. At the end a table says which versions they were.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Emulator } from '../../packages/js/src/node/testing.js';
import { CHROMIUM, sendFile, withoutChromium } from './chromium.js';
import { ROOT, entryFor, readVectors, temporaryFolder } from './files.js';
import { fetchedCase } from './vectors.js';
import { WORKERD, writeConfiguration } from './workerd.js';

const run = promisify(execFile);
const HERE = dirname(fileURLToPath(import.meta.url));
const LIMIT = { timeout: 240_000, maxBuffer: 2 ** 26 };

const vectors = readVectors();
const { audience, scope, rows } = vectors['credentials/matrix.json'];
const table = [];
/** Where the table is kept, which `npm run table` writes. */
const TABLE = join(HERE, 'RESULTS.md');

const folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
/** The certificate of the emulator's authority. */
const AUTHORITY = join(folder, 'authority.pem');
let emulator, credentials;
before(async () => {
  emulator = await Emulator.start({ arguments: ['--email', 'default@emulator.iam.gserviceaccount.com'] });
  const own = await Promise.all(rows.map((row, i) => withCredentials(row, join(folder, `${i}`))));
  credentials = { audience, scope, url: emulator.url, rows: own };
  writeFileSync(AUTHORITY, await emulator.authority());
});

/** A row with its credentials as a text, and what its environment is. */
async function withCredentials({ key, ...row }, stem) {
  const env = Object.entries(row.env).map(([name, value]) => [
    name,
    value.replace('{emulator}', emulator.url).replace('{stem}', stem),
  ]);
  const file = key === null ? undefined : `${stem}.json`;
  if (file !== undefined) await emulator.writeKeyFile(file, ...key);
  return {
    ...row,
    env: { HOME: '/nonexistent', ...emulator.environment, ...Object.fromEntries(env) },
    credentials: file && readFileSync(file, 'utf8'),
  };
}

after(async () => {
  await emulator?.stop();
  rmSync(folder, { recursive: true, force: true });
  console.table(table.map(({ runtime, checks, skipped }) => ({ runtime, checks, skipped: skipped.length })));
  for (const { runtime, skipped } of table) for (const [name, why] of skipped) console.log(`${runtime}: ${name}: ${why}`);
  if (process.env.GATEPASS_WRITE_TABLE) writeFileSync(TABLE, written(table));
});

const DENO = join(HERE, 'node_modules/@deno/linux-x64-glibc/deno');
const BUN = join(HERE, 'node_modules/@oven/bun-linux-x64/bin/bun');
const WASM = { ...process.env, GATEPASS_BACKEND: 'wasm', NO_COLOR: '1', NODE_NO_WARNINGS: '1' };

for (const [runtime, program, ...options] of [
  ['Node.js', process.execPath],
  ['Deno', DENO, 'run', '-A'],
  ['Bun', BUN, 'run'],
]) {
  test(runtime, async (t) => {
    if (!existsSync(program)) return t.skip(missing(runtime));
    const { url: ORIGIN } = await serve(t);
    const env = { ...WASM, ORIGIN, NODE_EXTRA_CA_CERTS: AUTHORITY };
    const { stdout } = await run(program, [...options, 'process.js'], { cwd: HERE, env, ...LIMIT });
    await judge(outcomeIn(stdout));
  });
}

/** All but that with a certificate, whose test reads what Node.js itself logs. */
const OTHER_KINDS =
  '/metadata|service_account|authorized_user|file|url|executable|AWS|Azure|supplier|workforce/';

// Of the package's own tests, the one that needs most of a runtime: files, programs, TLS, and signatures of one's own.
for (const [runtime, program, ...options] of [
  ['Deno', DENO, 'test', '-A', '--no-check', '--filter', OTHER_KINDS],
  ['Bun', BUN, 'test', '--timeout', '200000'],
]) {
  test(`${runtime}: every kind of credentials`, async (t) => {
    if (!existsSync(program)) return t.skip(missing(runtime));
    const cwd = join(ROOT, 'packages/js');
    const { stdout, stderr } = await run(program, [...options, './test/credentials.test.js'], {
      cwd,
      env: WASM,
      ...LIMIT,
    });
    const [, passed] = /(\d+) pass/.exec(stdout + stderr) ?? [];
    assert.ok(Number(passed) >= 30, stdout + stderr);
  });
}

test('workerd', async (t) => {
  if (!existsSync(WORKERD)) return t.skip(missing('workerd'));
  const folder = temporaryFolder(t);
  const { url } = await serve(t);
  const packages = { gatepass: entryFor('workerd'), 'gatepass-verify': entryFor('workerd', './verify') };
  const json = { 'vectors.json': vectors };
  const file = writeConfiguration(folder, 'tests/runtimes/worker.js', packages, json, url);
  const { stdout, stderr } = await run(WORKERD, ['test', '--import-path=/', file], LIMIT);
  const { stdout: version } = await run(WORKERD, ['--version'], LIMIT);
  await judge({ version: version.trim(), ...outcomeIn(stdout + stderr) });
});

test('Chromium', { skip: withoutChromium }, async (t) => {
  const { url, outcome } = await serve(t);
  // The emulator is another server than the page's.
  await judge(await inChromium(t, `${url}/`, outcome, '--disable-web-security'));
});

test('Chromium says what signatures lack on a page by plain http', { skip: withoutChromium }, async (t) => {
  const { url, outcome } = await serve(t, 'plain-page.js');
  const { port } = new URL(url);
  const elsewhere = `http://receiver.example:${port}/`;
  const found = await inChromium(t, elsewhere, outcome, '--host-resolver-rules=MAP receiver.example 127.0.0.1');
  const why = ': there is no crypto.subtle here: pages have it only when they are served by https or from loopback';
  assert.equal(found.wrong, undefined);
  for (const [what, expected] of [
    ['checking', 'this host cannot check a signature of'],
    ['again', 'this host cannot check a signature of'],
    ['signing', 'this host does not sign with RS256'],
  ]) {
    const { code, message } = found[what];
    assert.equal(code, 'UNSUPPORTED', what);
    assert.ok(message.includes(expected) && message.includes(why), message);
  }
});

/** What a page posts. */
async function inChromium(t, url, outcome, ...more) {
  const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run'];
  const browser = execFile(CHROMIUM, [...options, ...more, `--user-data-dir=${temporaryFolder(t)}`, url]);
  t.after(() => browser.kill('SIGKILL'));
  const ended = new Promise((_, reject) =>
    browser.on('exit', (code) => reject(new Error(`Chromium ended: ${code}`))),
  );
  return await Promise.race([outcome, ended]);
}

function missing(runtime) {
  return `there is no ${runtime} of this platform in package.json`;
}

async function judge({ version, backend, passed, wrong, fetched, verified, skipped, granted }) {
  assert.deepEqual(wrong, []);
  // By the module that only verifies, where it is another one.
  assert.deepEqual(verified?.wrong ?? [], []);
  // By keys that the runtime has fetched.
  assert.equal(fetched.iss, vectors['algorithms/algorithms.json'].issuer);
  assert.equal(backend, 'wasm');
  assert.ok(passed > 1150, `only ${passed}`);
  for (const row of rows.filter(({ name }) => skipped[`credentials ${name}`] === undefined)) {
    await judgeGranted(row, granted[row.name]);
  }
  const checks = passed + (verified?.passed ?? 0) + Object.keys(granted).length;
  table.push({ runtime: version, checks, skipped: Object.entries(skipped) });
}

/** Whether the tokens are those of the row. */
async function judgeGranted({ name, id_token: idToken, access_token: accessToken }, granted) {
  if (idToken.error) assert.deepEqual(granted.claims, idToken, name);
  else assert.equal(granted.claims.email, idToken.email, `${name}: ${JSON.stringify(granted)}`);
  if (accessToken.error) return assert.deepEqual(granted.accessToken, accessToken, name);
  assert.equal(typeof granted.accessToken, 'string', `${name}: ${JSON.stringify(granted)}`);
  const info = await emulator.tokenInfo(granted.accessToken);
  for (const [member, value] of Object.entries(accessToken)) assert.equal(info[member], value, name);
}

/** The table as a page. */
function written(table) {
  const lines = table.map(({ runtime, checks, skipped }) => `| ${runtime} | ${checks} | ${skipped.length} |`);
  const reasons = new Map();
  for (const { runtime, skipped } of table) {
    for (const [name, why] of skipped) reasons.set(name, [...(reasons.get(name) ?? []), `${runtime}: ${why}`]);
  }
  return `# The vectors in every JavaScript runtime

Written by \`npm run table\` in tests/runtimes. Each runtime is the real one: Node.js without the add-on, Deno, Bun and workerd of
npm, and Chromium of the system, headless. A check is a verdict, a step or a token that is compared with a vector.

| runtime | checks | vectors that it cannot run |
| --- | ---: | ---: |
${lines.join('\n')}

What cannot be run, and why:

${[...reasons].map(([name, whys]) => `- ${name} — ${whys.join('; ')}`).join('\n')}
`;
}

/** The line of JSON that a runtime has printed. */
function outcomeIn(output) {
  const line = output.split('\n').find((line) => line.includes('"passed"'));
  assert.ok(line, output);
  return JSON.parse(line.slice(line.indexOf('{')));
}

/** The repository, a page, and what the vectors of the fetching side are to be answered, on loopback; and what the page posts. */
async function serve(t, script = 'page.js') {
  const imports = {
    gatepass: `/${entryFor('browser')}`,
    'gatepass/verify': `/${entryFor('browser', './verify')}`,
  };
  const map = JSON.stringify({ imports });
  const page = `<!doctype html><script type="importmap">${map}</script><script type="module" src="/tests/runtimes/${script}"></script>`;
  let posted, turn;
  const outcome = new Promise((resolve) => (posted = resolve));
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    if (request.url === '/outcome') return (posted(JSON.parse(body)), response.end());
    if (request.url === '/answers') return ((turn = { answers: JSON.parse(body), asked: [] }), response.end());
    const send = (type, body) => response.setHeader('content-type', type).end(body);
    if (request.url === '/asked') return send('application/json', JSON.stringify(turn.asked));
    // By then all modules are loaded.
    if (turn !== undefined && request.url !== '/favicon.ico') return answer(turn, request, response);
    if (request.url === '/') return send('text/html', page);
    if (request.url === '/vectors.json') return send('application/json', JSON.stringify(vectors));
    if (request.url === '/credentials.json') return send('application/json', JSON.stringify(credentials));
    if (request.url === '/keys') return send('application/json', JSON.stringify(fetchedCase(vectors).keys));
    return sendFile(ROOT, request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, outcome };
}

/** The next of the answers, and then none that is of use. */
function answer({ answers, asked }, { url }, response) {
  const { status, headers, location, body } = answers[asked.length] ?? { status: 404 };
  asked.push(url);
  response.writeHead(status, { ...headers, ...(location && { location }) }).end(body);
}
