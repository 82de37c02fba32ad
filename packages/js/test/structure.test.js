/** How the package's own files depend on each other. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/** File → what it imports: files by their path below `src`, modules by their name. */
const imports = new Map(
  readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(SOURCE, join(entry.parentPath ?? entry.path, entry.name)).replaceAll(sep, '/'))
    .map((file) => [file, importsOf(file, readFileSync(join(SOURCE, file), 'utf8'))]),
);

test('no imports run in a circle', () => {
  assert.ok(imports.has('driver/flights.js'));
  assert.deepEqual(circleIn(imports), []);
});

test('what is not below node needs neither Node.js nor what is there, nor what is for the web alone', () => {
  for (const [file, imported] of imports) {
    if (file.startsWith('node/')) continue;
    for (const one of imported) {
      assert.ok(!one.startsWith('node'), `${file} imports ${one}`);
      assert.ok(!one.startsWith('web/') || file.startsWith('web/'), `${file} imports ${one}`);
    }
    const text = readFileSync(join(SOURCE, file), 'utf8').replaceAll('globalThis.process?.env', '');
    assert.doesNotMatch(text, /\b(process|Buffer|require|__dirname)\b[.(]/, file);
  }
});

test('the driver decides nothing, so it needs no more than the errors', () => {
  for (const [file, imported] of imports) {
    if (!/^(?:node\/)?driver\//.test(file)) continue;
    const others = imported.filter((one) => !/^node:|^(?:node\/)?driver\//.test(one));
    assert.ok(
      others.every((one) => one === 'errors.js'),
      `${file} imports ${others}`,
    );
  }
});

test('every runtime is given the same names', () => {
  const namesIn = (file) => {
    const text = readFileSync(join(SOURCE, file), 'utf8');
    const lists = [...text.matchAll(/^export (?:const )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
      names.split(','),
    );
    const functions = [...text.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name);
    const others = [...text.matchAll(/^export \* from '(.*)'/gm)];
    const all = others.flatMap(([, name]) => namesIn(posix.join(posix.dirname(file), name)));
    return [...new Set([...lists.map((name) => name.trim()).filter(Boolean), ...functions, ...all])].sort();
  };
  const names = namesIn('node/index.js');
  assert.ok(names.includes('Verifier') && names.includes('VerifyError') && names.includes('init'));
  for (const file of ['web/index.js', 'web/workerd.js']) assert.deepEqual(namesIn(file), names, file);
  const verifying = namesIn('node/verify.js');
  assert.ok(verifying.includes('Verifier') && verifying.every((name) => names.includes(name)));
  for (const file of ['web/verify.js', 'web/workerd-verify.js']) assert.deepEqual(namesIn(file), verifying, file);
});

test('a circle is found', () => {
  const circle = new Map([
    ['a.js', importsOf('a.js', "import { b } from './b/b.js';")],
    ['b/b.js', importsOf('b/b.js', "export { c } from './c.js';")],
    ['b/c.js', importsOf('b/c.js', "const a = await import('../a.js');\nimport fs from 'node:fs';")],
  ]);
  assert.deepEqual(circle.get('b/c.js'), ['a.js', 'node:fs']);
  assert.deepEqual(circleIn(circle), ['a.js', 'b/b.js', 'b/c.js', 'a.js']);
});

function importsOf(file, text) {
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, name]) => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name));
}

/** The first circle, as the files on it; none gives none. */
function circleIn(graph) {
  const done = new Set();
  const follow = (file, path) => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of graph.get(file) ?? []) {
      const circle = follow(next, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  return [...graph.keys()].map((file) => follow(file, [])).find((circle) => circle.length > 0) ?? [];
}
