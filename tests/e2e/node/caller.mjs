/**
 * The calling service: calls every receiver a hundred times with an ID token from its environment.
 *
 * Its argument is a JSON array of `{"name", "url", "audience"}`. Prints one JSON line for each receiver; the exit status
 * is 0 if all calls were answered.
 */

import { GatePass } from 'gatepass';

const CALLS = 100;

const gatepass = new GatePass();
for (const { name, url, audience } of JSON.parse(process.argv[2])) {
  try {
    console.log(JSON.stringify({ receiver: name, ...(await callAll(url, audience)) }));
  } catch (error) {
    console.log(JSON.stringify({ receiver: name, error: String(error) }));
    process.exitCode = 1;
  }
}

async function callAll(url, audience) {
  const client = await gatepass.getIdTokenClient(audience);
  const micros = [];
  let response;
  for (let call = 0; call < CALLS; call++) {
    const begin = performance.now();
    response = await client.request({ url });
    micros.push(Math.round((performance.now() - begin) * 1000));
  }
  const { status, data } = response;
  return { status, email: data.email, first_us: micros[0], hundredth_us: micros[CALLS - 1], calls: CALLS };
}
