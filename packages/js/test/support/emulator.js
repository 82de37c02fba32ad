/** The emulator of Google's endpoints, run by the `gatepass` program. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The service account of the emulator's metadata server. */
export const EMAIL = 'default@emulator.iam.gserviceaccount.com';

/** Starts an emulator that ends with the suite: call it at the top of a test file's `before`. */
export async function startEmulator() {
  const options = ['--email', EMAIL, '--port', '0', '--mtls-port', '0', '--exit-with-stdin'];
  const child = spawn(program(), ['emulator', ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  const environment = {};
  let mtlsUrl;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) environment[name] = value;
    mtlsUrl ??= /^# mTLS on (.*)$/.exec(line)?.[1];
    const [, url] = /^# listening on (.*)$/.exec(line) ?? [];
    if (url !== undefined) return new Emulator(child, environment, url, mtlsUrl);
  }
  throw new Error('the emulator ended before it listened');
}

/** What tests ask of an emulator that runs; its README says what an order may hold. */
export class Control {
  constructor(url) {
    this.url = url;
  }

  /** Signs an ID token. */
  async mint(order) {
    return (await this.#control('mint', order)).token;
  }

  async fault(fault) {
    await this.#control('fault', fault);
  }

  /** How often each path was asked for since the last `reset`. */
  async counts() {
    return (await (await fetch(`${this.url}/emulator/v1/requests`)).json()).counts;
  }

  async reset() {
    await this.#control('requests:reset');
    await this.#control('fault:clear');
  }

  async #control(name, body = {}) {
    const response = await fetch(`${this.url}/emulator/v1/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`the emulator refuses ${name}: ${answer.error}`);
    return answer;
  }
}

class Emulator extends Control {
  #child;

  constructor(child, environment, url, mtlsUrl) {
    super(url);
    this.#child = child;
    /** What a program needs in its environment to find the emulator. */
    this.environment = environment;
    this.mtlsUrl = mtlsUrl;
    this.keysUrl = `${url}/oauth2/v3/certs`;
    this.iapKeysUrl = `${url}/iap/verify/public_key-jwk`;
  }

  /** A service account's key file, parsed. */
  async key(email = 'caller@emulator.iam.gserviceaccount.com') {
    return await this.credentials('--email', email);
  }

  /** A credential file of any type, parsed: `gatepass emulator key --help` says what there is. */
  async credentials(...args) {
    return JSON.parse(await this.#key(...args));
  }

  /** The same, written to `path`, and what goes with it beside that. */
  async credentialFile(path, ...args) {
    await this.#key('--out', path, ...args);
  }

  async #key(...args) {
    return await output('key', '--emulator', this.url, '--mtls', this.mtlsUrl, ...args);
  }

  /** The certificate of the authority that vouches for the emulator, PEM. */
  async authority() {
    return await output('ca');
  }

  /** What the emulator says of an access token: whose it is, and for what. */
  async tokenInfo(accessToken) {
    return await (
      await fetch(`${this.url}/tokeninfo?${new URLSearchParams({ access_token: accessToken })}`)
    ).json();
  }

  async stop() {
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }
}

/** Variables by which credentials are found; a developer's own must not reach a test. */
const CREDENTIAL_VARIABLES = [
  'GOOGLE_APPLICATION_CREDENTIALS',
  'CLOUDSDK_CONFIG',
  'APPDATA',
  'NO_GCE_CHECK',
  'METADATA_SERVER_DETECTION',
  'GCE_METADATA_HOST',
  'GCE_METADATA_ROOT',
  'GCE_METADATA_IP',
  'K_SERVICE',
  'FUNCTION_NAME',
  'CLOUD_RUN_JOB',
  'CLOUD_RUN_WORKER_POOL',
  'GATEPASS_TRUSTED_ENDPOINTS',
  'GOOGLE_API_CERTIFICATE_CONFIG',
  'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES',
  'CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** Replaces this process's credential environment. */
export function setEnvironment(values) {
  for (const name of CREDENTIAL_VARIABLES) delete process.env[name];
  Object.assign(process.env, { HOME: '/nonexistent' }, values);
}

/** An empty folder that goes with the test. */
export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Delivers one request as Google's senders do, and says whether the service has taken it. */
export async function push(...args) {
  return (await run('push', ...args)).status === 0;
}

/** What `gatepass emulator` prints with these arguments. */
async function output(...args) {
  const { status, printed } = await run(...args);
  if (status !== 0) throw new Error(`gatepass emulator ${args[0]} ended with status ${status}`);
  return printed;
}

async function run(...args) {
  const child = spawn(program(), ['emulator', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [[status], chunks] = await Promise.all([once(child, 'exit'), child.stdout.toArray()]);
  return { status, printed: Buffer.concat(chunks).toString() };
}

function program() {
  const path = process.env.GATEPASS_CLI;
  if (!path) {
    throw new Error(
      'GATEPASS_CLI is not set: run `cargo xtask test`, or `cargo build -p gatepass-cli` and set it to the absolute ' +
        'path of the program `gatepass`',
    );
  }
  return path;
}
