/** The declarations are found by `require` as well. */

import gatepass = require('gatepass');
import { requireIdToken } from 'gatepass/express';

export const client = new gatepass.GatePass().getIdTokenClient();
export const middleware = requireIdToken({ audience: 'https://receiver.example' });
