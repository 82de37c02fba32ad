/** Runs the vectors in a runtime that has Node's modules: Node.js itself, Deno, Bun. Prints the outcome as JSON. */

import * as gatepass from 'gatepass';

import { steps } from '../../packages/js/src/node/driver/steps.js';
import { host } from '../../packages/js/src/node/host.js';
import { readVectors } from './files.js';
import { runVectors, verifyByUrl } from './vectors.js';

const { bun, deno, node } = process.versions;
const version = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node.js ${node}`;
const files = readVectors();
const { ORIGIN: origin } = process.env;
const fetched = await verifyByUrl(gatepass, files, `${origin}/keys`);
const { native } = host;
const credentials = await (await fetch(`${origin}/credentials.json`)).json();
const runtime = { native, steps, origin, lacks: {} };
const outcome = await runVectors(gatepass, runtime, files, credentials);
const isModule = native.Source.toString().includes('extends');
console.log(JSON.stringify({ version, backend: isModule ? 'wasm' : 'native', fetched, ...outcome }));
