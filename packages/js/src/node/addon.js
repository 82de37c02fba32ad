/** The native add-on: `scripts/build.js` puts it into `native/` of the package. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The platform in Node's own words, such as `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/** The add-on's file for this platform, in the package's folder. */
export function addonIn(folder) {
  return join(folder, 'native', `gatepass.${platform}.node`);
}

/** Loads it. */
export function load() {
  const paths = folders().map(addonIn);
  const path = paths.find((path) => existsSync(path)) ?? paths[0];
  try {
    return createRequire(path)(path);
  } catch (cause) {
    throw new Error(
      `gatepass: the native add-on for ${platform} cannot be loaded from ${path}; run \`npm rebuild gatepass\`, and see ` +
        'that install scripts are not switched off; in a bundle, mark the package `gatepass` as external',
      { cause },
    );
  }
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
    return program === undefined ? [] : [join(dirname(program), 'node_modules', 'gatepass')];
  }
}
