/** The native add-on: of an installed package for this platform, or where `scripts/build.js` puts it in a checkout. */

import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Not imported: bundlers would take the calls for requests of theirs. */
const { createRequire } = process.getBuiltinModule('node:module');

/** The platform in Node's own words, such as `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/** The add-on's file for this platform, in the package's folder. */
export function addonIn(folder) {
  return join(folder, 'native', `gatepass.${platform}.node`);
}

/**
 * The packages that bring the add-on. npm installs the one that fits; more than one are installed where somebody wants
 * them for another machine.
 */
const PACKAGES = ({ linux: ['-gnu', '-musl'], win32: ['-gnu'] }[process.platform] ?? ['']).map(
  (libc) => `@gatepass/${platform}${libc}`,
);

/** Loads it. */
export function load() {
  const paths = folders().flatMap(addonsOf);
  let cause = new Error('there is none');
  for (const path of paths) {
    try {
      return createRequire(path)(path);
    } catch (error) {
      cause = error;
    }
  }
  const where =
    paths.length === 0 ? `: ${PACKAGES.join(' or ')} is not installed` : ` from ${paths.join(' or ')}`;
  throw new Error(
    `gatepass: the native add-on for ${platform} cannot be loaded${where}; install optional dependencies too, or in a ` +
      'checkout run `npm rebuild gatepass`; in a bundle, mark `gatepass` and `@gatepass/*` as external',
    { cause },
  );
}

/** The add-ons that there are for the package in this folder: a checkout's own, then those of installed packages. */
function addonsOf(folder) {
  const { resolve } = createRequire(join(folder, 'package.json'));
  const installed = PACKAGES.map((name) => {
    try {
      return resolve(name);
    } catch {
      return undefined;
    }
  });
  return [addonIn(folder), ...installed].filter((path) => path !== undefined && existsSync(path));
}

/** Where this package's folder may be. */
function folders() {
  // Bundlers put something else in its place, or nothing.
  const url = import.meta.url ?? '';
  const [, own] = /^(file:.*)\/(?:src|cjs)\/node\/addon\.c?js$/.exec(url) ?? [];
  return [...(own === undefined ? [] : [fileURLToPath(own)]), ...installed()];
}

/** The package as the program finds it, which is a bundle if this file is elsewhere. */
function installed() {
  const program = process.argv[1];
  try {
    return [dirname(createRequire(program).resolve('gatepass/package.json'))];
  } catch {
    // It may be an argument instead, where the program is text.
    return program === undefined || !isAbsolute(program)
      ? []
      : [join(dirname(program), 'node_modules', 'gatepass')];
  }
}
