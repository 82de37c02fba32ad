/**
 * Calls the bookstores of its argument, as tests/e2e/grpc/README.md says, with credentials from its environment.
 *
 * Prints one JSON line for each; the exit status is 0 if all was as asked for.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Metadata, credentials, status } from '@grpc/grpc-js';
import { idTokenCredentials } from 'gatepass/grpc';

import { Bookstore } from './bookstore.mjs';

const CALLS = 100;
const TASKS = 4;
const DEADLINE_MS = 30_000;
const BOOKS = ['Emma 0', 'Emma 1', 'Emma 2'].map((title) => ({ title }));

const tls = credentials.createSsl(readFileSync(process.env.TLS_CA));
const [form, run] = process.argv.slice(2);
if (form === '--long') {
  const line = await callForLong(JSON.parse(run));
  console.log(JSON.stringify(line));
  if (line.failed > 0) process.exitCode = 1;
} else {
  for (const receiver of JSON.parse(form)) {
    try {
      console.log(JSON.stringify(await call(receiver)));
    } catch (error) {
      console.log(JSON.stringify({ receiver: receiver.name, error: String(error) }));
      process.exitCode = 1;
    }
  }
}

function clientOf({ target, authority }, channelCredentials) {
  return new Bookstore(target, channelCredentials, {
    'grpc.default_authority': authority,
    'grpc.ssl_target_name_override': authority,
  });
}

async function call(receiver) {
  const methods = methodsOf(clientOf(receiver, idTokenCredentials(tls)));
  const seen = {};
  const micros = [];
  for (const [name, method] of Object.entries(methods)) {
    seen[name] = {};
    for (let call = 0; call < (name === 'GetBook' ? CALLS : 1); call++) {
      const begin = performance.now();
      const answers = await method(new Metadata());
      micros.push(Math.round((performance.now() - begin) * 1000));
      for (const { caller_email } of answers) seen[name][caller_email] = (seen[name][caller_email] ?? 0) + 1;
    }
  }
  const refusals = {};
  const bare = methodsOf(clientOf(receiver, tls));
  for (const { what, token } of receiver.bad_tokens) {
    const metadata = new Metadata();
    if (token !== null) metadata.set('authorization', `Bearer ${token}`);
    refusals[what] = {};
    for (const [name, method] of Object.entries(bare))
      refusals[what][name] = await refusalOf(method(metadata));
  }
  const [first_us, hundredth_us] = [micros[0], micros[CALLS - 1]];
  return { receiver: receiver.name, calls: CALLS, first_us, hundredth_us, seen, refusals };
}

/** The methods, each of which gives its answers. */
function methodsOf(client) {
  const options = () => ({ deadline: Date.now() + DEADLINE_MS });
  const single = (begin) =>
    new Promise((resolve, reject) => begin((error, answer) => (error ? reject(error) : resolve([answer]))));
  const sending = (call) => {
    for (const book of BOOKS) call.write(book);
    call.end();
    return call;
  };
  return {
    GetBook: (metadata) =>
      single((callback) => client.GetBook({ title: 'Emma' }, metadata, options(), callback)),
    ListBooks: async (metadata) =>
      await client.ListBooks({ count: BOOKS.length }, metadata, options()).toArray(),
    AddBooks: (metadata) => single((callback) => sending(client.AddBooks(metadata, options(), callback))),
    Discuss: async (metadata) => await sending(client.Discuss(metadata, options())).toArray(),
  };
}

async function refusalOf(calling) {
  try {
    await calling;
    return { code: status.OK, message: '', details: null };
  } catch ({ code, details: message, metadata }) {
    const [details] = metadata.get('grpc-status-details-bin');
    return { code, message, details: details?.toString('base64') ?? null };
  }
}

async function callForLong({ target, authority, seconds, calls }) {
  const { GetBook } = methodsOf(clientOf({ target, authority }, idTokenCredentials(tls)));
  const each = calls / TASKS;
  const begin = performance.now();
  const errors = {};
  let [failed, least_millis_left] = [0, null];
  const callMany = async () => {
    for (let number = 0; number < each; number++) {
      await sleep(Math.max(0, begin + (number * seconds * 1000) / each - performance.now()));
      try {
        const [{ token_millis_left: left }] = await GetBook(new Metadata());
        least_millis_left = Math.min(left, least_millis_left ?? left);
      } catch (error) {
        failed += 1;
        errors[error.message] = (errors[error.message] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: TASKS }, callMany));
  return { calls: each * TASKS, failed, errors, least_millis_left };
}
