/** Lends books to whoever is known. On Cloud Run the front end ends TLS, so that the server itself has none. */

import { Server, ServerCredentials } from '@grpc/grpc-js';
import { claimsOf, requireIdToken } from 'gatepass/grpc';

import { Bookstore } from './stubs.js';

const { AUDIENCE = 'https://bookstore-7f3kq2x4ca-uc.a.run.app', PORT = '8080' } = process.env;
const server = new Server({ interceptors: [requireIdToken({ audience: AUDIENCE })] });
server.addService(Bookstore.service, {
  getBook(call, callback) {
    callback(null, { title: call.request.title, reader: claimsOf(call).email });
  },
});
server.bindAsync(`0.0.0.0:${PORT}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});
