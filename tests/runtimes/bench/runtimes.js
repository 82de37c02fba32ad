/** How each runtime is started and stopped: Node.js, Bun, Deno and workerd of npm, and Chromium of the system. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import puppeteer from 'puppeteer-core';

import { CHROMIUM } from '../chromium.js';
import { WORKERD, writeConfiguration } from '../workerd.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MODULES = join(HERE, '../node_modules');

/** A runtime that is a process of its own. */
class Program {
  /** By what condition the packages' exports are chosen. */
  condition = 'default';

  constructor(name, program, ...options) {
    Object.assign(this, { name, program, options });
  }

  async open() {}

  async close() {}

  /**
   * Starts it, so that it takes its turns from this origin.
   *
   * @param {(message: string) => void} failed is told when it ends by itself
   */
  async start(origin, _packages, failed) {
    return started(this.program, this.options, { ...process.env, ORIGIN: origin, GATEPASS_BACKEND: 'wasm' }, failed);
  }
}

class Workerd extends Program {
  condition = 'workerd';

  async start(origin, packages, failed) {
    const folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
    const configuration = writeConfiguration(folder, 'tests/runtimes/bench/worker.js', packages, {}, origin);
    const options = [...this.options, configuration];
    const { stop, ...rest } = started(this.program, options, process.env, failed);
    const stopAndClear = async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { ...rest, stop: stopAndClear };
  }
}

/** A browser, of which each start is a page in a profile of its own, and what counts is the process of the page. */
class Browser extends Program {
  condition = 'browser';
  #browser;

  async open() {
    const args = ['--no-sandbox', '--disable-gpu'];
    this.#browser = await puppeteer.launch({ executablePath: this.program, args });
  }

  async close() {
    await this.#browser.close();
  }

  async start(origin, _packages, failed) {
    const profile = await this.#browser.createBrowserContext();
    const page = await profile.newPage();
    page.on('pageerror', (error) => failed(error.message));
    const since = performance.now();
    await page.goto(origin);
    return { since, processes: await this.#pages(), stop: () => profile.close() };
  }

  /** The processes of pages: one works, others wait for theirs. */
  async #pages() {
    const session = await this.#browser.target().createCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    await session.detach();
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  }
}

/** Those that are there; the others are named. */
export function runtimes() {
  const file = join(HERE, 'process.js');
  const all = [
    new Program('Node.js', process.execPath, file),
    new Program('Bun', join(MODULES, '@oven/bun-linux-x64/bin/bun'), file),
    new Program('Deno', join(MODULES, '@deno/linux-x64-glibc/deno'), 'run', '-A', file),
    new Workerd('workerd', WORKERD, 'test', '--import-path=/'),
    new Browser('Chromium', CHROMIUM),
  ];
  return all.filter(({ name, program }) => {
    const isThere = program !== undefined && existsSync(program);
    if (!isThere) console.error(`${name} is not measured: there is none here`);
    return isThere;
  });
}

/** The name of a runtime, with its version. */
export function nameOf({ name, program }) {
  const said = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [version] = /\d[\d.-]*\d/.exec(said) ?? [];
  return `${name} ${version}`;
}

function started(program, options, env, failed) {
  const since = performance.now();
  const child = spawn(program, options, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const ended = once(child, 'close');
  ended.then(
    ([code, signal]) => failed(`${program} has ended: ${code ?? signal}\n${said}`),
    (error) => failed(error.message),
  );
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { since, processes: [child.pid], stop };
}
