/** The modules of both libraries, as a runtime without files has them. */

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ROOT, entryFor } from '../files.js';

const JOSE = ['jose/jwks/local', 'jose/jwt/verify'];

/** Library → by what name it is imported → its file, from the repository's root. */
export function packagesFor(condition) {
  // jose's files are the same everywhere.
  const jose = JOSE.map((name) => [name, relative(ROOT, fileURLToPath(import.meta.resolve(name)))]);
  return {
    gatepass: { 'gatepass/verify': entryFor(condition, './verify') },
    jose: Object.fromEntries(jose),
  };
}
