/** gRPC with `@grpc/grpc-js`: calls that carry tokens, and servers that check them. `grpc.d.ts` documents it. */

export { accessTokenCredentials, idTokenCredentials, insecureIdTokenInterceptor } from './client.js';
export { repeatUnauthenticated } from './repeat.js';
export { claimsOf, requireIdToken } from './server.js';
