/** The inspector (docs/inspector) in Chromium: what it says about good and bad tokens, and that it keeps them to itself. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

import { Emulator } from '../../packages/js/src/node/testing.js';
import { CHROMIUM, serveFolder, withoutChromium as skip } from './chromium.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const { now, keys, cases } = JSON.parse(readFileSync(join(HERE, '../vectors/presets/presets.json'), 'utf8'));
const [{ token, audience }] = cases;

const folder = mkdtempSync(join(tmpdir(), 'gatepass-inspector-'));
let server, browser, page, asked, complaints;

before(async () => {
  if (skip) return;
  execFileSync(process.execPath, [join(HERE, '../../docs/inspector/build.js'), folder]);
  server = await serveFolder(folder);
  browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  if (skip) return;
  page = await browser.newPage();
  [asked, complaints] = [[], []];
  const network = await page.createCDPSession();
  await network.send('Network.enable');
  network.on('Network.requestWillBeSent', ({ request }) => asked.push(request.url));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(server.url, { waitUntil: 'load' });
  await page.waitForFunction(() => document.documentElement.dataset.ready === 'yes');
});

/** Fills fields as a user does who pastes, and gives the verdict and the findings. */
async function ask(fields) {
  for (const [name, value] of Object.entries(fields)) {
    await page.$eval(
      `[name=${name}]`,
      (field, value) => {
        field.value = value;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      },
      value,
    );
  }
  return await page.$eval('#answer', (answer) => ({
    verdict: answer.querySelector('#verdict').textContent,
    codes: [...answer.querySelectorAll('#findings .title code')].map((code) => code.textContent),
    text: answer.textContent,
  }));
}

/** The time of the vectors, as the field for it has it. */
const time = new Date(now * 1000 - new Date(now * 1000).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
const right = { token, audience, keys: JSON.stringify(keys), time };

test('a good token is accepted, and shown decoded', { skip }, async () => {
  const { verdict, codes, text } = await ask(right);
  assert.equal(verdict, 'This is a Google ID token. It is accepted.');
  assert.deepEqual(codes, []);
  assert.match(text, /"email": "caller@example.com"/);
});

test('what is wrong with a token is said', { skip }, async () => {
  const [header, payload] = token.split('.');
  for (const [wrong, code] of [
    [{ audience: 'https://other.example' }, 'BAD_AUDIENCE'],
    [{ time: '2026-01-01T00:00:00' }, 'TOKEN_ISSUED_IN_FUTURE'],
    [{ time: '2028-01-01T00:00:00' }, 'TOKEN_EXPIRED'],
    [{ token: `${header}.${payload}.AAAA` }, 'BAD_SIGNATURE'],
    [{ token: `Bearer ${token}` }, 'TOKEN_MALFORMED'],
    [{ keys: '{"keys": []}' }, 'UNKNOWN_KEY'],
  ]) {
    const { verdict, codes } = await ask({ ...right, ...wrong });
    assert.equal(verdict, 'This is a Google ID token. It is refused.', code);
    assert.ok(codes.includes(code), `${code} is not among ${codes}`);
  }
});

test('without keys nothing is decided', { skip }, async () => {
  const { verdict } = await ask({ ...right, keys: '' });
  assert.equal(verdict, 'This is a Google ID token. No problem found, but undecided.');
});

test('the token of a whole request is found', { skip }, async () => {
  const request = `> GET / HTTP/2\n> host: a\n> authorization: Bearer ${token}\n>\n< HTTP/2 401`;
  const { verdict, text } = await ask({ ...right, token: request });
  assert.equal(verdict, 'This is a Google ID token. It is accepted.');
  assert.match(text, /taken from a request/);
});

test('a mistake in a field is said in words', { skip }, async () => {
  const { verdict } = await ask({ ...right, keys: 'no JSON' });
  assert.match(verdict, /not valid JSON/);
});

test('nothing leaves the page', { skip }, async () => {
  const own = asked.length;
  await ask(right);
  await ask({ ...right, audience: 'https://other.example' });
  // A picture within the page's own style is no request to anybody.
  assert.deepEqual(asked.slice(own).filter((url) => !url.startsWith('data:')), []);
  assert.ok(asked.every((url) => url.startsWith('data:') || url.startsWith(server.url)));
  const blocked = await page.evaluate(() => fetch('/index.html').then(() => 'sent', () => 'blocked'));
  assert.equal(blocked, 'blocked');
  assert.deepEqual(complaints, []);
});

for (const [name, width] of [['a desktop', 1280], ['a phone', 390]]) {
  test(`it fits the screen of ${name}`, { skip }, async () => {
    await page.setViewport({ width, height: 900 });
    await ask(right);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  });
}

test('it is worked by the keyboard, and every field has a name', { skip }, async () => {
  assert.equal(await page.evaluate(() => document.activeElement.name), 'token');
  const reached = [];
  for (let i = 0; i < 4; i += 1) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement.name ?? document.activeElement.tagName));
  }
  assert.deepEqual(reached.slice(0, 2), ['audience', 'preset']);
  const nameless = await page.$$eval('input, select, textarea', (fields) =>
    fields.filter((field) => field.labels.length === 0).map((field) => field.name));
  assert.deepEqual(nameless, []);
});

test('the emulator has it, with a page that shows what it was asked', { skip }, async (t) => {
  const emulator = await Emulator.start({ arguments: ['--inspector', folder] });
  t.after(() => emulator.stop());
  await page.goto(emulator.url, { waitUntil: 'load' });
  await page.waitForFunction(() => document.getElementById('connection').textContent !== 'Connecting…');
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click('#inspector a')]);
  await page.waitForFunction(() => document.documentElement.dataset.ready === 'yes');
  const own = asked.length;
  assert.equal((await ask(right)).verdict, 'This is a Google ID token. It is accepted.');
  const other = await emulator.mint({ audience });
  const { verdict, codes } = await ask({ ...right, token: other, time: '' });
  assert.equal(verdict, 'This is a Google ID token. It is refused.');
  assert.ok(codes.includes('UNKNOWN_KEY'), codes);
  assert.deepEqual(asked.slice(own).filter((url) => !url.startsWith('data:')), []);
  assert.deepEqual(complaints, []);
});
