/**
 * Makes each of the named mistakes and prints what it gets for it, a line of JSON for each.
 *
 * argv: {"mistakes": [name, …], "audience": …, "tokens": {name: …}, "url": <of the emulator>}.
 */

import { GatePass, Verifier, audienceForUrl, fetchAccessToken, fetchIdToken, verifyIdToken } from 'gatepass';

const { mistakes, audience, tokens, url } = JSON.parse(process.argv[2]);
const verify = (token) => verifyIdToken(token, { audience });

const MISTAKES = {
  no_credentials: () => fetchIdToken(audience),
  wrong_path: () => fetchIdToken(audience),
  wrong_audience: () => verify(tokens.other_audience),
  missing_scheme: () => audienceForUrl('orders.example/items'),
  trailing_slash: () => verify(tokens.trailing_slash),
  access_token: async () => verify(await fetchAccessToken('https://www.googleapis.com/auth/cloud-platform')),
  plain_http: async () =>
    (await new GatePass().getIdTokenClient(audience)).fetch('http://orders.example/items'),
  emulator_down: () => fetchIdToken(audience),
  clock_behind: () => verify(tokens.issued_in_two_hours),
  no_audience: () => new Verifier({}),
  keys_url_404: () => new Verifier({ audience, keysUrl: `${url}/no/such/keys` }).verify(tokens.good),
  bearer: () => verify(`Bearer ${tokens.good}`),
  newline: () => verify(`${tokens.good}\n`),
  empty: () => verify(''),
  null: () => verify(null),
  list: () => verify([tokens.good]),
  typo: () => new Verifier({ audiance: audience }),
  no_await: () => verify(fetchIdToken(audience)),
  wrong_preset: () => new Verifier({ audience, preset: 'iap' }).verify(tokens.good),
};

for (const mistake of mistakes) {
  console.log(JSON.stringify({ mistake, ...(await answer(MISTAKES[mistake])) }));
}

async function answer(mistake) {
  try {
    return { type: 'no error', code: null, message: String(await mistake()) };
  } catch (error) {
    const code = error instanceof TypeError ? null : (error.code ?? null);
    return { type: error.name, code, message: error.message };
  }
}
