/**
 * Fetches both kinds of tokens with the credentials that the environment names, in a process of its own: the
 * environment is what makes the difference. Prints what came of it as JSON, with what was secret and what was shown.
 */

import { GatePass, Verifier } from 'gatepass';

import { native } from '../../lib/native.js';
import { secretsOf, secretsOfStep, shownBy } from './secrets.js';

const { audience, scope, keysUrl, options, supplier } = JSON.parse(process.argv[2]);

const secrets = new Set();
const { resume } = native.Op.prototype;
native.Op.prototype.resume = function (now, reply) {
  const step = resume.call(this, now, reply);
  for (const secret of [...secretsOf(JSON.parse(reply)), ...secretsOfStep(JSON.parse(step))]) secrets.add(secret);
  return step;
};

const suppliers = supplier && { [supplier]: async () => 'subjectTokenOfTheSupplier' };
const gatepass = new GatePass({ ...options, suppliers });
const verifier = new Verifier({ audience, keysUrl });
const shown = [];

async function outcome(promise) {
  try {
    return await promise;
  } catch (error) {
    shown.push(shownBy(error));
    return { error: error.code };
  }
}

const idToken = await outcome(gatepass.fetchIdToken(audience));
const claims = typeof idToken === 'string' ? await outcome(verifier.verify(idToken)) : idToken;
const accessToken = await outcome(gatepass.fetchAccessToken(scope));
shown.push(shownBy(gatepass), shownBy(verifier), shownBy(await gatepass.getAccessTokenClient(scope)));

const report = { claims, accessToken, secrets: [...secrets], shown: shown.join('\n') };
process.stdout.write(JSON.stringify(report));
