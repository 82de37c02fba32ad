/**
 * The vectors, by the package with its WebAssembly module, in every JavaScript runtime: each real, from npm; Chromium is the
 * system's. At the end a table says which versions they were.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join, posix } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { readVectors } from './files.js';
import { fetchedCase } from './vectors.js';

const run = promisify(execFile);
const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const { exports } = JSON.parse(readFileSync(join(ROOT, 'packages/js/package.json'), 'utf8'));
/** The package's entry for a condition, from the repository's root. */
const entryFor = (condition) => posix.join('packages/js', exports['.'][condition]);
const LIMIT = { timeout: 240_000, maxBuffer: 2 ** 26 };

const vectors = readVectors();
const table = [];
after(() => console.table(table));

const DENO = join(HERE, 'node_modules/@deno/linux-x64-glibc/deno');
const BUN = join(HERE, 'node_modules/@oven/bun-linux-x64/bin/bun');
const WASM = { ...process.env, GATEPASS_BACKEND: 'wasm', NO_COLOR: '1', NODE_NO_WARNINGS: '1' };

for (const [runtime, program, ...options] of [
  ['Node.js', process.execPath],
  ['Deno', DENO, 'run', '--allow-env', '--allow-read', '--allow-net=127.0.0.1'],
  ['Bun', BUN, 'run'],
]) {
  test(runtime, async (t) => {
    if (!existsSync(program)) return t.skip(missing(runtime));
    const { url: ORIGIN } = await serve(t);
    const env = { ...WASM, ORIGIN };
    const { stdout } = await run(program, [...options, 'process.js'], { cwd: HERE, env, ...LIMIT });
    judge(outcomeIn(stdout));
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
  const program = join(HERE, 'node_modules/@cloudflare/workerd-linux-64/bin/workerd');
  if (!existsSync(program)) return t.skip(missing('workerd'));
  const folder = temporaryFolder(t);
  const { url } = await serve(t);
  writeFileSync(join(folder, 'config.capnp'), configuration(folder, url));
  const { stdout, stderr } = await run(
    program,
    ['test', '--import-path=/', join(folder, 'config.capnp')],
    LIMIT,
  );
  const { stdout: version } = await run(program, ['--version'], LIMIT);
  judge({ version: version.trim(), ...outcomeIn(stdout + stderr) });
});

test('Chromium', async (t) => {
  const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
  if (program === undefined) return t.skip('there is no Chromium: apt-get install chromium');
  const profile = temporaryFolder(t);
  const { url, outcome } = await serve(t);
  const options = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    `--user-data-dir=${profile}`,
  ];
  const browser = execFile(program, [...options, `${url}/`]);
  t.after(() => browser.kill('SIGKILL'));
  const ended = new Promise((_, reject) =>
    browser.on('exit', (code) => reject(new Error(`Chromium ended: ${code}`))),
  );
  judge(await Promise.race([outcome, ended]));
});

function missing(runtime) {
  return `there is no ${runtime} of this platform in package.json`;
}

function judge({ version, backend, passed, wrong, fetched }) {
  assert.deepEqual(wrong, []);
  // By keys that the runtime has fetched.
  assert.equal(fetched.iss, vectors['algorithms/algorithms.json'].issuer);
  assert.equal(backend, 'wasm');
  assert.ok(passed > 1000, `only ${passed}`);
  table.push({ runtime: version, checks: passed });
}

/** The line of JSON that a runtime has printed. */
function outcomeIn(output) {
  const line = output.split('\n').find((line) => line.includes('"passed"'));
  assert.ok(line, output);
  return JSON.parse(line.slice(line.indexOf('{')));
}

/** What workerd is to run: a worker of all the modules that it imports, as a bundler would put them together. */
function configuration(folder, origin) {
  const modules = new Map();
  const add = (path) => {
    if (modules.has(path)) return;
    const isModule = path.endsWith('.js');
    modules.set(path, isModule ? 'esModule' : 'wasm');
    if (!isModule) return;
    const text = readFileSync(join(ROOT, path), 'utf8');
    for (const [, name] of text.matchAll(/\bfrom '(\.[^']+)'/g)) {
      add(posix.join(posix.dirname(path), name));
    }
  };
  add('tests/runtimes/worker.js');
  add(entryFor('workerd'));
  writeFileSync(join(folder, 'vectors.json'), JSON.stringify(vectors));
  writeFileSync(join(folder, 'gatepass.js'), `export * from '../../${entryFor('workerd')}';\n`);
  const files = [...modules].map(([path, kind]) => [path, kind, join(ROOT, path)]);
  // A name without dots is looked for beside the module that imports it.
  files.push(['tests/runtimes/gatepass', 'esModule', join(folder, 'gatepass.js')]);
  files.push(['tests/runtimes/vectors.json', 'json', join(folder, 'vectors.json')]);
  const entries = files.map(([name, kind, file]) => `(name = "${name}", ${kind} = embed "${file}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = .main),
  (name = "loopback", network = (allow = ["private"])),
]);
const main :Workerd.Worker = (
  modules = [${entries.join(', ')}],
  bindings = [(name = "ORIGIN", text = "${origin}")],
  globalOutbound = "loopback",
  compatibilityDate = "2026-11-01",
);
`;
}

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** The repository and a page, on loopback; and what the page posts. */
async function serve(t) {
  const map = JSON.stringify({ imports: { gatepass: `/${entryFor('browser')}` } });
  const page = `<!doctype html><script type="importmap">${map}</script><script type="module" src="/tests/runtimes/page.js"></script>`;
  let posted;
  const outcome = new Promise((resolve) => (posted = resolve));
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      posted(JSON.parse(Buffer.concat(await request.toArray()).toString()));
      return response.end();
    }
    const send = (type, body) => response.setHeader('content-type', type).end(body);
    if (request.url === '/') return send('text/html', page);
    if (request.url === '/vectors.json') return send('application/json', JSON.stringify(vectors));
    if (request.url === '/keys') return send('application/json', JSON.stringify(fetchedCase(vectors).keys));
    const path = join(ROOT, posix.normalize(request.url));
    if (!existsSync(path) || !Object.hasOwn(TYPES, extname(path))) return response.writeHead(404).end();
    return send(TYPES[extname(path)], readFileSync(path));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, outcome };
}

function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
