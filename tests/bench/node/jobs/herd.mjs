/** F: how many requests a thousand callers make who all find no token at hand. */

import { GatePass } from 'gatepass';
import { GoogleAuth } from 'google-auth-library';

import { startMetadataServer } from '../metadata-server.mjs';

const CALLERS = 1_000;

export const jobs = [{ units: { F: 'requests' }, long: true, prepare }];

async function prepare() {
  const server = await startMetadataServer();
  let turns = 0;
  const peers = [
    ['gatepass', () => new GatePass()],
    ['google-auth-library', () => new GoogleAuth()],
  ].map(([name, auth]) => ({
    name,
    package: name,
    measure: async () => {
      // Each turn's own: a request of the turn before may still be on its way.
      const audience = `https://receiver-${turns++}.example`;
      const client = await auth().getIdTokenClient(audience);
      // Whether a caller gives up is not what is counted.
      await Promise.allSettled(Array.from({ length: CALLERS }, () => client.getRequestHeaders()));
      return { F: server.count(audience) };
    },
  }));
  return { peers, close: server.close };
}
