/** What workerd is to run: a worker of all the modules that it imports, as a bundler would put them together. */

import { writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import { ROOT, modulesOf } from './files.js';

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
  const embedded = files.map(([name, kind, file]) => `(name = "${name}", ${kind} = embed "${file}")`);
  return written(
    'config.capnp',
    `using Workerd = import "/workerd/workerd.capnp";
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
`,
  );
}
