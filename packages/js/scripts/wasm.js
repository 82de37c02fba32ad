/**
 * Puts a WebAssembly module and its glue into `wasm/`: `node scripts/wasm.js <folder with gatepass.js> <module> <name>`.
 *
 * The glue is what wasm-bindgen has written, in both module systems. Whoever uses it brings the module along.
 */

import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { commonJs } from './commonjs.js';

/** Texts are copied into the module by the runtime, not letter by letter: nearly all are ASCII, and have as many bytes as letters. */
const BY_LETTERS = /    let offset = 0;\n\n    for \(; offset < len; offset\+\+\) \{\n[^]*?\n    \}\n/;
const AT_ONCE = `    const { read, written } = cachedTextEncoder.encodeInto(arg, mem.subarray(ptr, ptr + len));
    let offset = read === len && written === len ? len : 0;
`;

const [from, module, name] = process.argv.slice(2);
const to = fileURLToPath(new URL('../wasm', import.meta.url));
mkdirSync(to, { recursive: true });

const written = readFileSync(join(from, 'gatepass.js'), 'utf8');
const glue = written
  .replace(BY_LETTERS, AT_ONCE)
  .replaceAll(/^ *\/\*\*\n(?: *\*.*\n)+/gm, '')
  .replace('\nfunction initSync(', '\nexport function initSync(')
  .replace(/\nasync function __wbg_load\([^]*?\n}\n/, '')
  .replace(/\nlet __wbg_init_promise;[^]*$/, '\n')
  // What is made for each token is freed by hand (src/wasm/): to watch it until it is collected costs more than it.
  .replaceAll(/^ *(?:Op|TokenCheck|Lookup)Finalization\.(?:un)?register\(.*\);\n/gm, '')
  .replaceAll(/Object\.defineProperty\(obj, '__wbg_inst', .*\);/g, 'obj.__wbg_inst = __wbg_instance_id;');
if (glue.includes('__wbg_load') || !glue.includes(AT_ONCE) || !glue.includes('export function initSync')) {
  throw new Error('the glue is not as wasm-bindgen 0.2.130 writes it');
}
put('js', (path) => writeFileSync(path, glue));
put('cjs', (path) => writeFileSync(path, commonJs(`${name}.js`, glue)));
put('wasm', (path) => copyFileSync(module, path));

/** Renamed into place: a process that runs with the old one keeps it. */
function put(extension, write) {
  const path = join(to, `${name}.${extension}`);
  write(`${path}.${process.pid}`);
  renameSync(`${path}.${process.pid}`, path);
}
