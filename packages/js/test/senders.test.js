/** Google's senders, delivering to an Express application with the middleware. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import express from 'express';
import { requireIdToken } from 'gatepass/express';

import { startEmulator } from './support/emulator.js';
import { serve } from './support/servers.js';

const SENDER = 'sender@shop.iam.gserviceaccount.com';
const DATA = '{"order":7}';

let emulator;
before(async () => (emulator = await startEmulator()));
after(() => emulator?.stop());

/** Preset → the sender's name for the emulator, and where its request has the data. */
const SENDERS = {
  pubsub: { sender: 'pubsub', dataOf: ({ message }) => Buffer.from(message.data, 'base64').toString() },
  cloud_tasks: { sender: 'tasks', dataOf: JSON.stringify },
  cloud_scheduler: { sender: 'scheduler', dataOf: JSON.stringify },
  eventarc: { sender: 'eventarc', dataOf: ({ message }) => Buffer.from(message.data, 'base64').toString() },
};

for (const [preset, { sender, dataOf }] of Object.entries(SENDERS)) {
  test(`${preset}: its request is taken, another account's is not, nor one for another service`, async (t) => {
    const received = [];
    const answered = [];
    const app = express();
    app.use((_req, res, next) => {
      res.on('finish', () => answered.push(res.statusCode));
      next();
    });
    const audience = 'https://receiver.example';
    app.use(requireIdToken({ preset, audience, allowedEmails: SENDER, keysUrl: emulator.keysUrl }));
    app.use(express.json({ type: () => true }));
    app.post('/push', (req, res) => {
      received.push([req.auth.email, req.auth.aud, dataOf(req.body)]);
      res.status(204).end();
    });
    const request = ['--as', sender, '--to', `${await serve(t, app)}/push`, '--data', DATA];
    const pushes = async (email, aud) => await emulator.push(...request, '--email', email, '--audience', aud);

    assert.equal(await pushes(SENDER, audience), true);
    assert.equal(await pushes('other@shop.iam.gserviceaccount.com', audience), false);
    assert.equal(await pushes(SENDER, 'https://other.example'), false);
    assert.deepEqual(answered, [204, 403, 401]);
    assert.deepEqual(received, [[SENDER, audience, DATA]]);
  });
}
