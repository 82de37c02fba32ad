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
const isOfThePage = (path) => !/\/src\/node/.test(path);
cpSync(join(PACKAGE, 'src'), join(folder, 'gatepass/src'), { recursive: true, filter: isOfThePage });
// The module that checks signatures itself: the page explains while somebody types, and waits for no promise.
cpSync(join(PACKAGE, 'wasm/computing.js'), join(folder, 'gatepass/wasm/gatepass.js'));
const module = readFileSync(join(PACKAGE, 'wasm/computing.wasm')).toString('base64');
writeFileSync(join(folder, 'module.js'), `export const base64 =\n  '${module}';\n`);
