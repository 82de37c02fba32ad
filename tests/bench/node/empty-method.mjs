/** A method of gRPC without content; and the copy of grpc-js that gatepass has in a checkout, so that there is one. */

import { createRequire } from 'node:module';

export const { Metadata, Server, ServerCredentials, ServerInterceptingCall, credentials, makeGenericClientConstructor } =
  createRequire(new URL('../../../packages/js/package.json', import.meta.url))('@grpc/grpc-js');

export const NOTHING = Buffer.alloc(0);
const same = (bytes) => bytes;

export const METHOD = {
  path: '/bench.Empty/Call',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
