/**
 * The receiving service: answers `GET /` with the caller's e-mail.
 *
 * Environment: PORT (0 for any), AUDIENCE, KEYS_URL, ALLOWED_EMAILS (optional, separated by commas). Prints
 * `listening <port>` when it is ready, and ends when its standard input closes.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';

import express from 'express';
import { requireIdToken } from 'gatepass/express';

const { PORT = '0', AUDIENCE, KEYS_URL, ALLOWED_EMAILS } = process.env;

const app = express();
app.use(
  requireIdToken({
    audience: AUDIENCE,
    keysUrl: KEYS_URL,
    allowedEmails: ALLOWED_EMAILS?.split(','),
    onRefusal: (error) => console.error(`refused: ${error.code}: ${error.message}`),
  }),
);
app.get('/', (req, res) => res.json({ email: req.auth.email }));

const server = createServer(app).listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
console.log(`listening ${server.address().port}`);

process.stdin.resume().once('close', () => process.exit());
