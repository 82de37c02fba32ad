/** Runs in a worker thread: fetches a token, verifies it and posts the caller's e-mail. */

import { parentPort, workerData } from 'node:worker_threads';

import { Verifier, fetchIdToken } from 'gatepass';

const { audience, keysUrl } = workerData;
const { email } = await new Verifier({ audience, keysUrl }).verify(await fetchIdToken(audience));
parentPort.postMessage(email);
