/** H: the header of a token that is at hand. */

import { GatePass } from 'gatepass';
import { GoogleAuth } from 'google-auth-library';

import { repeated } from '../measure.mjs';
import { startMetadataServer } from '../metadata-server.mjs';

const AUDIENCE = 'https://receiver.example';

export const jobs = [{ units: { H: 'op/s' }, prepare }];

async function prepare() {
  const server = await startMetadataServer();
  const gatepass = new GatePass();
  const ours = await gatepass.getIdTokenClient(AUDIENCE);
  const googles = await new GoogleAuth().getIdTokenClient(AUDIENCE);
  const peers = [
    ['gatepass', () => ours.getPlainHeaders()],
    // In the form that google-auth-library gives.
    ['gatepass, getRequestHeaders', () => ours.getRequestHeaders()],
    ['gatepass, fetchIdToken', () => gatepass.fetchIdToken(AUDIENCE)],
    ['google-auth-library', () => googles.getRequestHeaders()],
  ].map(([name, call]) => ({
    name,
    package: name.split(',')[0],
    measure: async (seconds) => ({ H: await repeated(seconds, call) }),
  }));
  return { peers, close: server.close };
}
