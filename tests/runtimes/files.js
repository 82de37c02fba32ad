/** The vectors' files, read where there are files. */

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../vectors/', import.meta.url));

/** Path below tests/vectors → what is in it. */
export function readVectors() {
  const files = {};
  for (const folder of ['verify', 'algorithms', 'presets', 'acquire', 'cache']) {
    const names = readdirSync(`${FOLDER}${folder}`).filter(
      (name) => name.endsWith('.json') && name !== 'schema.json',
    );
    for (const name of names.sort()) {
      files[`${folder}/${name}`] = JSON.parse(readFileSync(`${FOLDER}${folder}/${name}`, 'utf8'));
    }
  }
  return files;
}
