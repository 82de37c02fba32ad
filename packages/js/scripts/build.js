/**
 * Puts the native add-on for this platform into `native/`, and `src/` as CommonJS into `cjs/`; npm runs it when the package is installed or packed.
 *
 * In a checkout the add-on is built with cargo, which finds out by itself whether anything has changed. A published
 * archive has no Rust sources and brings the add-ons of the platforms that it supports.
 *
 * GATEPASS_PROVIDER names the cryptographic provider to build with: `ring`, unless it says `aws-lc-rs`.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { addonIn, platform } from '../src/node/addon.js';
import { writeCommonJs } from './commonjs.js';

const folder = fileURLToPath(new URL('../', import.meta.url));
const addonPath = addonIn(folder);
const workspace = fileURLToPath(new URL('../../../', import.meta.url));
const COMMAND = 'build --release --package gatepass-node --message-format json-render-diagnostics';
/** The provider → what makes cargo build with it. */
const PROVIDERS = { ring: [], 'aws-lc-rs': ['--features', 'aws-lc-rs'] };

if (isCheckout()) {
  writeCommonJs(folder);
  build();
} else if (!existsSync(addonPath)) {
  stop(`this archive has no native add-on for ${platform} and no Rust sources; install from a checkout`);
}

function isCheckout() {
  const manifest = join(workspace, 'bindings/node/Cargo.toml');
  return existsSync(manifest) && readFileSync(manifest, 'utf8').includes('name = "gatepass-node"');
}

function build() {
  const provider = process.env.GATEPASS_PROVIDER || 'ring';
  if (!Object.hasOwn(PROVIDERS, provider)) {
    const known = Object.keys(PROVIDERS).join(' or ');
    stop(`GATEPASS_PROVIDER is ${JSON.stringify(provider)}, which is no provider; expected ${known}`);
  }
  const cargo = spawnSync('cargo', [...COMMAND.split(' '), ...PROVIDERS[provider]], {
    cwd: workspace,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: Infinity,
  });
  if (cargo.error?.code === 'ENOENT') {
    if (existsSync(addonPath)) return;
    stop(
      'the native add-on is built from Rust sources, and there is no cargo; ' +
        'install Rust (https://rustup.rs), then run `npm rebuild gatepass`',
    );
  }
  if (cargo.status !== 0) stop('cargo could not build the native add-on; its output says why');

  mkdirSync(dirname(addonPath), { recursive: true });
  // Renamed into place: a process that runs with the old one keeps it.
  const fresh = `${addonPath}.${process.pid}`;
  copyFileSync(library(cargo.stdout), fresh);
  renameSync(fresh, addonPath);
}

/** The file that cargo built, from its messages: the target folder may be anywhere. */
function library(messages) {
  const artifacts = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter((message) => message.reason === 'compiler-artifact' && message.target.name === 'gatepass_node');
  return artifacts.at(-1).filenames.find((file) => /\.(so|dylib|dll)$/.test(file));
}

function stop(reason) {
  console.error(`gatepass: ${reason}.`);
  process.exit(1);
}
