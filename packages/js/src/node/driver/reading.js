/** What comes from outside, read to its end, but not without end. */

import { createReadStream } from 'node:fs';

import { StepFailure } from '../../driver/step-failure.js';

/** The text of a file of at most `limit` bytes. */
export async function textOfFile(path, limit, signal) {
  // `end` is the last byte's index: one more than the limit is enough to see that there are more.
  return await textOf(createReadStream(path, { end: limit, signal }), limit);
}

/** The text that a stream gives, of at most `limit` bytes. */
export async function textOf(stream, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > limit) throw new StepFailure('too_large', `more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The first `limit` bytes of what a stream gives; the rest is read and dropped, so that its writer can go on. */
export async function headOf(stream, limit) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    if (size < limit) chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
  }
  return Buffer.concat(chunks).toString();
}
