/** `node build.js FOLDER` puts the page there, with the core in it: of packages/js, whose module must have been built. */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE = join(HERE, '../../packages/js');
const PAGE = ['index.html', 'inspector.css', 'inspector.js', 'gatepass.js'];

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('no folder is given: node build.js FOLDER');

mkdirSync(folder, { recursive: true });
cpSync(join(HERE, '../../packages/emulator/src/page/base.css'), join(folder, 'base.css'));
for (const name of PAGE) cpSync(join(HERE, name), join(folder, name));
for (const name of ['src', 'wasm/gatepass.js']) {
  cpSync(join(PACKAGE, name), join(folder, 'gatepass', name), { recursive: true, filter: (path) => !/\/src\/node/.test(path) });
}
const module = readFileSync(join(PACKAGE, 'wasm/gatepass.wasm')).toString('base64');
writeFileSync(join(folder, 'module.js'), `export const base64 =\n  '${module}';\n`);
