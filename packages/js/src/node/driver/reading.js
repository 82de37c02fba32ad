/** What comes from outside, read to its end, but not without end. */

import { createReadStream } from 'node:fs';

import { StepFailure } from './step-failure.js';

/** The most octets of a file, a response or a program's output that are handed over. */
const LIMIT = 1024 * 1024;

/** The text of a file. */
export async function textOfFile(path, signal) {
  // `end` is the last octet's index: one more than the limit is enough to see that there are more.
  return await textOf(createReadStream(path, { end: LIMIT, signal }));
}

/** The text that a stream gives. */
export async function textOf(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > LIMIT) throw new StepFailure('too_large', `more than ${LIMIT} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
