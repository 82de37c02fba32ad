/** The package in bundles, each made by a real bundler and run where it is for: a page by Vite, a worker by esbuild. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { build as buildWorker } from 'esbuild';
import puppeteer from 'puppeteer-core';
import { build as buildPage } from 'vite';

import { CHROMIUM, serveFolder, withoutChromium } from './chromium.js';
import { temporaryFolder } from './files.js';
import { WORKERD, writeBundleConfiguration } from './workerd.js';

const BUNDLES = join(dirname(fileURLToPath(import.meta.url)), 'bundles');
const vectors = new URL('../vectors/algorithms/algorithms.json', import.meta.url);
const { issuer } = JSON.parse(readFileSync(vectors, 'utf8'));

test('a page, by Vite', { skip: withoutChromium }, async (t) => {
  const outDir = temporaryFolder(t);
  await buildPage({ root: BUNDLES, configFile: false, logLevel: 'error', base: './', build: { outDir, emptyOutDir: true } });
  const server = await serveFolder(outDir);
  t.after(() => server.close());
  const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(server.url);
  const issuers = await page.waitForFunction(() => document.documentElement.dataset.issuers);
  assert.deepEqual(JSON.parse(await issuers.jsonValue()), [issuer, issuer]);
});

// As wrangler has esbuild do it: a module that is imported stays a file of its own.
test('a worker, by esbuild', { skip: !existsSync(WORKERD) && 'there is no workerd of this platform' }, async (t) => {
  const outdir = temporaryFolder(t);
  await buildWorker({
    entryPoints: [join(BUNDLES, 'worker.js')],
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    loader: { '.wasm': 'copy' },
    outdir,
    logLevel: 'error',
  });
  assert.equal(readdirSync(outdir).filter((name) => name.endsWith('.wasm')).length, 2);
  const file = writeBundleConfiguration(outdir, 'worker.js');
  const { stdout, stderr } = await promisify(execFile)(WORKERD, ['test', '--import-path=/', file], { timeout: 60_000 });
  assert.ok((stdout + stderr).includes(JSON.stringify({ issuers: [issuer, issuer] })), stdout + stderr);
});
