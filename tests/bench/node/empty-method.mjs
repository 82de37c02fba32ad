/** A method of gRPC without content; and the copy of grpc-js that gatepass finds, so that there is one. */

import { createRequire } from 'node:module';

const gatepass = createRequire(import.meta.url).resolve('gatepass/package.json');

export const { Metadata, Server, ServerCredentials, ServerInterceptingCall, credentials, makeGenericClientConstructor } =
  createRequire(gatepass)('@grpc/grpc-js');

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
