/** Google's endpoints on this machine, for tests: `gatepass emulator`, started and steered. `testing.d.ts` documents it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { request } from 'node:http';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

import { host } from './host.js';
import { checkOptions } from '../arguments.js';

const OPTIONS = { arguments: 'strings', program: 'string' };

export class Emulator {
  #program;
  #child;

  static async at(url, { program } = {}) {
    const emulator = new Emulator();
    emulator.#program = program;
    emulator.url = String(url).replace(/\/$/, '');
    emulator.keysUrl = (await emulator.#ask('GET', '/.well-known/openid-configuration')).jwks_uri;
    await emulator.reset();
    return emulator;
  }

  static async start(options = {}) {
    checkOptions('Emulator.start', options, OPTIONS);
    const { arguments: own = [], program = findProgram() } = options;
    const args = ['emulator', '--port', '0', '--mtls-port', '0', '--exit-with-stdin', ...own];
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { environment, url, tlsUrl } = await announced(child);
    const emulator = await Emulator.at(url, { program });
    // It ends with this process, which need not wait for it.
    for (const one of [child, child.stdin, child.stdout]) one.unref?.();
    emulator.#child = child;
    return Object.assign(emulator, { environment, tlsUrl });
  }

  async stop() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exit = once(child, 'exit');
    child.stdin.end();
    await exit;
  }

  useEnvironment() {
    const before = { ...process.env };
    Object.assign(process.env, this.environment);
    host.shared = {};
    return () => {
      for (const name of Object.keys(this.environment)) {
        if (name in before) process.env[name] = before[name];
        else delete process.env[name];
      }
      host.shared = {};
    };
  }

  get iapKeysUrl() {
    return `${this.url}/iap/verify/public_key-jwk`;
  }

  async mint({ audience, email, claims, ...changes } = {}) {
    const named = Object.entries({ aud: audience, email }).filter(([, value]) => value !== undefined);
    const order = { claims: { ...Object.fromEntries(named), ...claims }, ...snakeCase(changes) };
    return (await this.#control('POST', 'mint', order)).token;
  }

  async fault(fault) {
    await this.#control('POST', 'fault', snakeCase(fault));
  }

  async setClock(offsetSeconds) {
    await this.#control('POST', 'clock', { offset_seconds: offsetSeconds });
  }

  async rotateKeys() {
    await this.#control('POST', 'keys:rotate');
  }

  async counts() {
    return (await this.#control('GET', 'requests')).counts;
  }

  async reset() {
    await this.#control('POST', 'requests:reset');
    await this.#control('POST', 'fault:clear');
    await this.setClock(0);
  }

  async keyFile(...options) {
    return JSON.parse(await this.#key(options));
  }

  async writeKeyFile(path, ...options) {
    await this.#key([...options, '--out', path]);
  }

  async authority() {
    return await this.#output('ca', []);
  }

  async tokenInfo(accessToken) {
    return await this.#ask('GET', `/tokeninfo?${new URLSearchParams({ access_token: accessToken })}`);
  }

  async push(...options) {
    return (await this.#run('push', ['--emulator', this.url, ...options])).status === 0;
  }

  async #key(options) {
    const tls = this.tlsUrl === undefined ? [] : ['--mtls', this.tlsUrl];
    return await this.#output('key', ['--emulator', this.url, ...tls, ...options]);
  }

  async #output(command, options) {
    const { status, stdout, stderr } = await this.#run(command, options);
    if (status !== 0) throw new Error(`gatepass emulator ${command}: ${stderr.trim()}`);
    return stdout;
  }

  async #run(command, options) {
    const program = this.#program ?? findProgram();
    const child = spawn(program, ['emulator', command, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    const texts = [child.stdout, child.stderr].map(textOf);
    const [[status], stdout, stderr] = await Promise.all([once(child, 'exit'), ...texts]);
    return { status, stdout, stderr };
  }

  async #control(method, path, body) {
    return await this.#ask(method, `/emulator/v1/${path}`, method === 'GET' ? undefined : (body ?? {}));
  }

  /** Not by `fetch`, which a test may well have replaced. */
  async #ask(method, path, body) {
    const exchange = request(this.url + path, { method, agent: false });
    exchange.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(exchange, 'response');
    const text = await textOf(response);
    if (response.statusCode >= 400) {
      const asked = `${method} ${path.split('?')[0]}`;
      throw new Error(`the emulator answers ${response.statusCode} to ${asked}: ${text}`);
    }
    return JSON.parse(text || 'null');
  }
}

/** What the emulator prints until it listens. */
async function announced(child) {
  const failure = once(child, 'error').then(([error]) => {
    throw error;
  });
  failure.catch(() => {});
  const environment = {};
  let tlsUrl;
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
      if (name !== undefined) environment[name] = value;
      tlsUrl ??= /^# mTLS on (.*)$/.exec(line)?.[1];
      const [, url] = /^# listening on (.*)$/.exec(line) ?? [];
      if (url !== undefined) return { environment, url, tlsUrl };
    }
    throw new Error('the emulator ended before it listened; its own message says why');
  })();
  return await Promise.race([reading, failure]);
}

async function textOf(stream) {
  return Buffer.concat(await stream.toArray()).toString();
}

function snakeCase(order) {
  const name = (camelCase) => camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(order).map(([key, value]) => [name(key), value]));
}

function findProgram() {
  const { GATEPASS_PROGRAM: given, PATH = '' } = process.env;
  if (given) return given;
  const file = process.platform === 'win32' ? 'gatepass.exe' : 'gatepass';
  const found = PATH.split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, file))
    .find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'no program `gatepass` on PATH: install it with `cargo install --path packages/cli`, or set GATEPASS_PROGRAM to its path',
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
