/**
 * Fetches both kinds of tokens with the credentials that the environment names, in a process of its own: the
 * environment is what makes the difference. Then every endpoint that was asked refuses, one after the other. Prints
 * what came of it as JSON, with what was secret and what was shown.
 */

import { GatePass, Verifier } from 'gatepass';
import { Emulator } from 'gatepass/testing';

import { host } from '../../src/node/host.js';
import { secretsOf, secretsOfStep, shownBy } from './secrets.js';

const { native } = host;
const { audience, scope, url, options = {}, supplier } = JSON.parse(process.argv[2]);
const REFUSAL = { error: 'access_denied', access_token: 'tokenThatComesWithTheRefusal' };

const secrets = new Set();
const { resume } = native.Op.prototype;
native.Op.prototype.resume = function (now, monotonic, reply) {
  const step = resume.call(this, now, monotonic, reply);
  for (const secret of [...secretsOf(JSON.parse(reply)), ...secretsOfStep(JSON.parse(step))])
    secrets.add(secret);
  return step;
};

const shown = [];
const control = await Emulator.at(url);
const granted = await fetchBoth();
const refused = {};
for (const path of Object.keys(await control.counts())) {
  await control.reset();
  await control.fault({ path, times: 100, status: 403, body: REFUSAL });
  refused[path] = await fetchBoth();
}
process.stdout.write(JSON.stringify({ granted, refused, secrets: [...secrets], shown: shown.join('\n') }));

/** The claims of a fresh ID token, and a fresh access token, or the error of each. */
async function fetchBoth() {
  // Keys are shared otherwise.
  host.shared = {};
  const suppliers = supplier && { [supplier]: async () => 'subjectTokenOfTheSupplier' };
  const gatepass = new GatePass({ ...spelled(options), suppliers });
  const verifier = new Verifier({ audience, keysUrl: `${url}/oauth2/v3/certs` });
  const claims = await outcome(async () => await verifier.verify(await gatepass.fetchIdToken(audience)));
  const accessToken = await outcome(async () => await gatepass.fetchAccessToken(scope));
  for (const object of [gatepass, verifier, await gatepass.getAccessTokenClient(scope)])
    shown.push(shownBy(object));
  return { claims, accessToken };
}

async function outcome(fetch) {
  try {
    return await fetch();
  } catch (error) {
    shown.push(shownBy(error));
    return { error: error.code };
  }
}

/** Options by their names at the border, as this package spells them. */
function spelled(options) {
  const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value]));
}
