/** workerd, and what it is to run: a worker with all the modules that it imports, or one that a bundler has made. */

import { readdirSync, writeFileSync } from 'node:fs';
import { extname, join, posix } from 'node:path';

import { ROOT, modulesOf } from './files.js';

export const WORKERD = join(ROOT, 'tests/runtimes/node_modules/@cloudflare/workerd-linux-64/bin/workerd');

/**
 * Writes the configuration of a worker, and gives its path.
 *
 * @param {string} folder where it is written
 * @param {string} worker the worker's file, from the repository's root
 * @param {Record<string, string>} packages by what name the worker imports it → the package's file
 * @param {Record<string, object>} json file name → what the worker finds in it
 * @param {string} origin what the worker finds as `ORIGIN`
 */
export function writeConfiguration(folder, worker, packages, json, origin) {
  const modules = modulesOf(worker);
  for (const entry of Object.values(packages)) modulesOf(entry, modules);
  const files = [...modules].map(([path, kind]) => [path, kind, join(ROOT, path)]);
  const written = (name, text) => {
    const file = join(folder, name.replaceAll('/', '-'));
    writeFileSync(file, text);
    return file;
  };
  // A name without dots is looked for beside the module that imports it.
  const beside = (name) => posix.join(posix.dirname(worker), name);
  for (const [name, entry] of Object.entries(packages)) {
    const path = posix.relative(posix.dirname(beside(name)), entry);
    files.push([beside(name), 'esModule', written(`${name}.js`, `export * from '${path}';\n`)]);
  }
  for (const [name, content] of Object.entries(json)) {
    files.push([beside(name), 'json', written(name, JSON.stringify(content))]);
  }
  return written('config.capnp', configuration(files, origin));
}

/** Writes that of a worker and whatever else is in its folder, and gives its path. */
export function writeBundleConfiguration(folder, worker) {
  const others = readdirSync(folder).filter((name) => name !== worker);
  const kindOf = (name) => (extname(name) === '.wasm' ? 'wasm' : 'esModule');
  const files = [worker, ...others].map((name) => [name, kindOf(name), join(folder, name)]);
  const file = join(folder, 'config.capnp');
  writeFileSync(file, configuration(files, ''));
  return file;
}

/** @param {[name: string, kind: string, file: string][]} files the first is the worker */
function configuration(files, origin) {
  const embedded = files.map(([name, kind, file]) => `(name = "${name}", ${kind} = embed "${file}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = .main),
  (name = "loopback", network = (allow = ["private"])),
]);
const main :Workerd.Worker = (
  modules = [${embedded.join(', ')}],
  bindings = [(name = "ORIGIN", text = "${origin}")],
  globalOutbound = "loopback",
  compatibilityDate = "2026-11-01",
);
`;
}
