/**
 * Writes `src/` to `cjs/` as CommonJS, for Jest and for bundlers of programs that use `require`. Node.js itself needs it
 * not: it gives `require` the modules of `src/`, so that there is one of each.
 *
 * Only the forms of `import` and `export` that `src/` is written in are known; any other one is an error.
 */

import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Brings the folder `cjs` in the package's folder up to date. */
export function writeCommonJs(folder) {
  const [from, to] = [join(folder, 'src'), join(folder, 'cjs')];
  // What is there for the web alone is nowhere loaded by `require`.
  const names = readdirSync(from, { recursive: true }).filter(
    (name) => name.endsWith('.js') && !/^web[/\\]/.test(name),
  );
  const texts = names.map((name) => [name, commonJs(name, readFileSync(join(from, name), 'utf8'))]);
  const wanted = new Map([...texts, ['package.json', '{ "type": "commonjs" }\n']]);
  for (const [name, text] of wanted) write(join(to, name), text);
  for (const name of readdirSync(to, { recursive: true }).filter((name) => name.endsWith('.js'))) {
    if (!wanted.has(name)) rmSync(join(to, name));
  }
}

/** Others may be reading the file, or writing the same. */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  writeFileSync(fresh, text);
  renameSync(fresh, path);
}

/** A module as CommonJS. What it exports is set at its end, which is enough where no imports run in a circle. */
export function commonJs(file, module) {
  const exported = new Map();
  const own = (names) => names.forEach(([name, local]) => exported.set(name, local));
  const text = module
    .replaceAll(/^import \{([^}]*)\} from ('[^']+');$/gm, (_, names, from) => {
      return `const { ${pairs(names)
        .map(([name, local]) => (name === local ? name : `${name}: ${local}`))
        .join(', ')} } = require(${from});`;
    })
    .replaceAll(/^export \{([^}]*)\} from ('[^']+');$/gm, (_, names, from) => {
      own(pairs(names).map(([name, as]) => [as, `require(${from}).${name}`]));
      return '';
    })
    .replaceAll(/^export (?=const \{([^}]*)\} = )/gm, (_, names) => (own(pairs(names)), ''))
    .replaceAll(
      /^export (?=(?:async function|function|class|const) (\w+))/gm,
      (_, name) => (own([[name, name]]), ''),
    )
    .replaceAll(/^export default (\w+);$/gm, (_, name) => (own([['default', name]]), ''))
    .replaceAll(/\bimport\(/g, 'require(')
    .replaceAll('import.meta.url', "require('node:url').pathToFileURL(__filename).href");
  const unknown = /^(?:import|export)\b.*|import\.meta.*/m.exec(text);
  if (unknown) throw new Error(`${file}: no CommonJS is known for: ${unknown[0]}`);
  const ends = [...exported].map(([name, local]) => `exports.${name} = ${local};\n`);
  return `'use strict';\nObject.defineProperty(exports, '__esModule', { value: true });\n${text}\n${ends.join('')}`;
}

/** The names in braces, each with what it is called on the other side. */
function pairs(names) {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .map((name) => name.split(' as ').map((part) => part.trim()))
    .map(([name, local = name]) => [name, local]);
}
