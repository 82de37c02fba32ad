/** What every bundle does: it fetches a token and verifies it, and so needs the native add-on. */

import { GatePass, Verifier } from 'gatepass';

const audience = 'https://receiver.example';

export async function caller() {
  const token = await new GatePass().fetchIdToken(audience);
  return (await new Verifier({ audience, keysUrl: process.env.KEYS_URL }).verify(token)).email;
}
