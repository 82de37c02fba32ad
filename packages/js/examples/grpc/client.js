/** Asks for a book every PAUSE_SECONDS, for days: no word about tokens, and the channel is made once. */

import { setTimeout as sleep } from 'node:timers/promises';

import { credentials } from '@grpc/grpc-js';
import { idTokenCredentials, repeatUnauthenticated } from 'gatepass/grpc';

import { Bookstore } from './stubs.js';

const { TARGET = 'bookstore-7f3kq2x4ca-uc.a.run.app:443', PAUSE_SECONDS = '60' } = process.env;
const client = new Bookstore(TARGET, idTokenCredentials(credentials.createSsl()), {
  interceptors: [repeatUnauthenticated],
});

for (;;) {
  client.getBook({ title: 'Emma' }, { deadline: Date.now() + 10_000 }, (error, book) => {
    console.log(error?.message ?? `${book.title}, for ${book.reader}`);
  });
  await sleep(Number(PAUSE_SECONDS) * 1000);
}
