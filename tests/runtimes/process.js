/** Runs the vectors in a runtime that has Node's modules: Node.js itself, Deno, Bun. Prints the outcome as JSON. */

import * as gatepass from 'gatepass';

import { host } from '../../packages/js/src/node/host.js';
import { readVectors } from './files.js';
import { runVectors, verifyByUrl } from './vectors.js';

const { bun, deno, node } = process.versions;
const version = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node.js ${node}`;
const files = readVectors();
const fetched = await verifyByUrl(gatepass, files, `${process.env.ORIGIN}/keys`);
const outcome = await runVectors(gatepass, host.native, files);
const isModule = host.native.Source.toString().includes('extends');
console.log(JSON.stringify({ version, backend: isModule ? 'wasm' : 'native', fetched, ...outcome }));
