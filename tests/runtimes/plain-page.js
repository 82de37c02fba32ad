/** What becomes of signatures on a page by plain http, which has no `crypto.subtle`: posts the errors to where the page is from. */

import * as gatepass from 'gatepass';

import { fetchedCase } from './vectors.js';

const errorOf = (promise) =>
  promise.then(
    () => 'none',
    ({ code, message }) => ({ code, message }),
  );

async function outcome() {
  await gatepass.init();
  const files = await (await fetch('/vectors.json')).json();
  const { rows, audience } = await (await fetch('/credentials.json')).json();
  const { token, algorithms, keys } = fetchedCase(files);
  const verifier = new gatepass.Verifier({ issuers: files['algorithms/algorithms.json'].issuer, audience, algorithms, keys });
  const { credentials } = rows.find(({ name }) => name === 'service_account');
  const elsewhere = { ...JSON.parse(credentials), token_uri: 'https://oauth2.googleapis.com/token' };
  const caller = new gatepass.GatePass({ credentials: elsewhere });
  return {
    checking: await errorOf(verifier.verify(token)),
    // It is no fault of the token's, which may be given again.
    again: await errorOf(verifier.verify(token)),
    signing: await errorOf(caller.fetchSelfSignedJwt(audience)),
  };
}

const body = await outcome().catch((error) => ({ wrong: `${error?.stack ?? error}` }));
await fetch('/outcome', { method: 'POST', body: JSON.stringify(body) });
