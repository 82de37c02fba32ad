/** What is generated from bookstore.proto: here when the program starts, or beforehand by protoc. */

import { fileURLToPath } from 'node:url';

import { loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export const { Bookstore } = loadPackageDefinition(
  loadSync(fileURLToPath(new URL('bookstore.proto', import.meta.url))),
).bookstore;
