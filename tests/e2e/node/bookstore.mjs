/** The service of tests/e2e/grpc, as `@grpc/grpc-js` has it. */

import { fileURLToPath } from 'node:url';

import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = fileURLToPath(new URL('../grpc/bookstore.proto', import.meta.url));

const loaded = loadPackageDefinition(loadSync(PROTO, { keepCase: true, longs: Number }));
export const { Bookstore } = loaded.gatepass.e2e.v1;
