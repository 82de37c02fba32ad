/** A call of gRPC from a bundle to itself: prints the caller. */

const { Server, ServerCredentials, credentials, makeGenericClientConstructor } = require('@grpc/grpc-js');
const { claimsOf, insecureIdTokenInterceptor, requireIdToken } = require('gatepass/grpc');

const text = { serialize: Buffer.from, deserialize: String };
const method = {
  path: '/shop.Orders/Caller',
  requestStream: false,
  responseStream: false,
  requestSerialize: text.serialize,
  requestDeserialize: text.deserialize,
  responseSerialize: text.serialize,
  responseDeserialize: text.deserialize,
};
const check = requireIdToken({ audience: 'https://127.0.0.1', keysUrl: process.env.KEYS_URL });
const server = new Server({ interceptors: [check] });
server.addService({ caller: method }, { caller: (call, callback) => callback(null, claimsOf(call).email) });
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (failure, port) => {
  if (failure) throw failure;
  const Client = makeGenericClientConstructor({ caller: method }, 'Orders');
  const interceptors = [insecureIdTokenInterceptor({ allowPlaintextLoopback: true })];
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { interceptors });
  client.caller('who', (error, caller) => {
    console.log(error?.message ?? caller);
    client.close();
    server.forceShutdown();
  });
});
