/** H: the header of a token that is at hand. */

import { GatePass } from 'gatepass';
import { GoogleAuth } from 'google-auth-library';

import { rate } from '../measure.mjs';
import { startMetadataServer } from '../metadata-server.mjs';

const AUDIENCE = 'https://receiver.example';

export const jobs = [{ name: 'H', unit: 'op/s', prepare }];

async function prepare() {
  const server = await startMetadataServer();
  const gatepass = new GatePass();
  const ours = await gatepass.getIdTokenClient(AUDIENCE);
  const googles = await new GoogleAuth().getIdTokenClient(AUDIENCE);
  const peers = [
    { name: 'gatepass', package: 'gatepass', call: () => ours.getRequestHeaders() },
    { name: 'gatepass, fetchIdToken', package: 'gatepass', call: () => gatepass.fetchIdToken(AUDIENCE) },
    {
      name: 'google-auth-library',
      package: 'google-auth-library',
      call: () => googles.getRequestHeaders(),
    },
  ].map(({ call, ...peer }) => ({ ...peer, measure: (seconds) => rate(seconds, call) }));
  return { peers, close: server.close };
}
