/** The declarations are found by `require` as well. */

import gatepass = require('gatepass');
import { requireIdToken } from 'gatepass/express';
import { requireIdToken as plugin } from 'gatepass/fastify';

export const client = new gatepass.GatePass().getIdTokenClient();
export const middleware = requireIdToken({ audience: 'https://receiver.example' });
export const fastifyPlugin = plugin;
