/**
 * The vectors of what goes out and comes in: hostile credentials, audiences and answers, and every kind of credentials, in
 * whatever runtime. The package is the real one but for two steps, which the tests of every language replace: a wait is
 * noted in place of being waited for, and the environment is that of the vector. The answers come from a real server.
 */

import { StepFailure } from '../../packages/js/src/driver/step-failure.js';
import { gatepassOn } from '../../packages/js/src/gatepass.js';
import { hostOn } from '../../packages/js/src/host.js';

const AUDIENCE = 'https://orders-7f3kq2x4ca-uc.a.run.app';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** A token is not handed out in its last moments: the receiver must still find it valid. */
const LAST_MOMENTS = 10_000;
/** Reasons of the corpus, and the error codes for each. */
const CODES = {
  bad_endpoint: ['ENDPOINT_NOT_ALLOWED'],
  bad_source: ['CREDENTIALS_FILE_INVALID', 'EXECUTABLE_NOT_ALLOWED'],
  bad_file: ['CREDENTIALS_FILE_INVALID', 'CREDENTIALS_TYPE_UNKNOWN'],
  bad_audience_argument: ['INVALID_AUDIENCE'],
};

/**
 * @typedef {object} Runtime
 * @property {object} native the core
 * @property {object} steps how the package carries out steps here
 * @property {string} origin of the server, below which `/answers` takes what it is to answer, and `/asked` says what it was asked
 * @property {boolean} [leavesSignaturesOpen] whether nothing checks a signature at once
 * @property {boolean} [hidesRedirects] whether `fetch` shows nobody a redirect
 * @property {{ files?: string, programs?: string, certificates?: string }} lacks what the runtime has not, and why
 */

/** The package as a process of its own would have it. */
function started({ native, steps, origin }, env = {}) {
  const noted = { waits: [], connections: 0 };
  const environment = ({ names }) => {
    const isSet = names.filter((name) => env[name] !== undefined);
    return { reply: 'env', values: Object.fromEntries(isSet.map((name) => [name, env[name]])) };
  };
  const perform = async (step, ...others) => {
    if (step.step === 'read_env') return environment(step);
    if (step.step === 'wait') return (noted.waits.push(step.delay_ms), { reply: 'elapsed' });
    if (step.step === 'send' && origin !== undefined && new URL(step.url).origin !== origin) {
      noted.connections += 1;
      throw new StepFailure('connect', 'there is no network');
    }
    return await steps.perform(step, ...others);
  };
  const load = () => native;
  const host = hostOn({ load, steps: { ...steps, perform, environment }, warn: () => {} });
  return { ...gatepassOn(host), noted };
}

/**
 * Runs the attack corpus of the fetching side.
 *
 * @param {Runtime} runtime
 * @param note takes a name, what was found and what was expected
 * @param skip takes a name, and why it cannot be run here
 */
export async function runClientVectors(runtime, { base_now: baseNow, cases }, note, skip) {
  const now = baseNow * 1000;
  const account = JSON.parse(cases[0].input);
  const runners = { credential_file: file, audience, header_value: header, jwks_response: keySet };
  for (const one of cases) {
    const name = `client ${one.id} ${one.kind}: ${one.name}`;
    const why = lacking(runtime, one);
    if (why !== undefined) {
      skip(name, why);
      continue;
    }
    const run = runners[one.kind] ?? answer;
    const found = await run(one).catch((error) => `${error?.stack ?? error}`);
    note(name, found, 'right');
  }

  /** Accepted: the next that is needed is not there, the file with the subject token or the network. */
  async function file({ input, env, expected, reason }) {
    const { GatePass, noted } = started(runtime, env);
    const { code } = await rejection(new GatePass({ credentials: input, clock: () => now }).fetchAccessToken(SCOPE));
    if (expected === 'accept') return verdict(['CONNECTION_FAILED', 'SUBJECT_TOKEN_FAILED'].includes(code), code);
    return verdict(CODES[reason].includes(code) && noted.connections === 0, { code, ...noted });
  }

  async function audience({ input, expected, reason, wire }) {
    const server = await answering([{ status: 404 }]);
    const { GatePass } = started(runtime, { GCE_METADATA_HOST: server.host });
    const { code } = await rejection(new GatePass({ clock: () => now }).fetchIdToken(input));
    const asked = await server.asked();
    if (expected === 'accept') return verdict(asked[0]?.includes(`?${wire}&`), asked);
    return verdict(CODES[reason].includes(code) && asked.length === 0, { code, asked });
  }

  /**
   * A key set's life shows in when a caller waits for new keys: a day after its end. A token that none of the keys has signed
   * is refused until then, and nothing is asked.
   */
  async function keySet(one) {
    const server = await answering([one, one]);
    let moment = now;
    const { Verifier } = started(runtime);
    const options = { preset: 'google', anyAudience: true, keysUrl: `${server.url}/keys`, clock: () => moment };
    const verifier = new Verifier(options);
    const keys = one.expected === 'keep_old_keys' ? {} : JSON.parse(one.body);
    const kid = keys.keys?.find((key) => key.kid)?.kid ?? Object.keys(keys)[0] ?? 'a';
    const head = btoa(JSON.stringify({ alg: 'RS256', kid })).replaceAll('=', '');
    const found = [];
    const look = async () => {
      const { code } = await rejection(verifier.verify(`${head}.e30.${'AAAA'.repeat(86)}`));
      found.push(code, (await server.asked()).length);
    };
    if (one.expected === 'keep_old_keys') {
      await look();
      return verdict(found[0] === 'KEYS_UNAVAILABLE', found);
    }
    const end = now + (one.expected.ttl + 86_400) * 1000;
    for (moment of [now, end - 1, end]) await look();
    return verdict(`${found}` === 'BAD_SIGNATURE,1,BAD_SIGNATURE,1,BAD_SIGNATURE,2', found);
  }

  async function header({ input, expected }) {
    const body = JSON.stringify({ access_token: input, expires_in: 3599 });
    const server = await answering([{ status: 200, body }]);
    const credentials = { ...account, token_uri: server.url };
    const { GatePass } = started(runtime);
    const fetching = new GatePass({ credentials, trustedEndpoints: server.host }).fetchAccessToken('a');
    if (expected === 'accept') return verdict((await fetching) === input);
    await rejection(fetching);
    return 'right';
  }

  /** The answer of the metadata server, or of a token endpoint to a request for the kind of token that its body is about. */
  async function answer(one) {
    const server = await answering(repertoire(one));
    const isMetadata = one.kind === 'metadata_response';
    const { GatePass, noted } = started(runtime, isMetadata ? { GCE_METADATA_HOST: server.host } : {});
    const trusted = { credentials: { ...account, token_uri: server.url }, trustedEndpoints: server.host };
    let moment = now;
    const gatepass = new GatePass({ ...(isMetadata ? {} : trusted), clock: () => moment });
    const fetch = () =>
      !isMetadata && isAccess(one) ? gatepass.fetchAccessToken(SCOPE) : gatepass.fetchIdToken(AUDIENCE);
    switch (one.expected) {
      case 'token':
        await fetch();
        moment = one.expires_at * 1000 - LAST_MOMENTS - 1;
        await fetch();
        moment += 1;
        await rejection(fetch());
        return 'right';
      case 'token_short':
      case 'token_clamped':
        await fetch();
        moment += one.expected === 'token_short' ? 300_000 : 43_200_000;
        await rejection(fetch());
        return 'right';
      case 'retry':
      case 'retry_after_7': {
        await fetch();
        const asked = await server.asked();
        const isSevenSeconds = one.expected === 'retry' || noted.waits[0] === 7000;
        return verdict(asked.length === 2 && noted.waits.length === 1 && isSevenSeconds, { asked, ...noted });
      }
      case 'fail':
      case 'fail_no_secret_in_message': {
        await rejection(fetch());
        const asked = await server.asked();
        return verdict(asked.length === 1 && noted.waits.length === 0, { asked, ...noted });
      }
      default:
        return `an unknown expectation: ${one.expected}`;
    }
  }

  /** What a server says in turn: what the case says, and if that is to be asked about again, a token. */
  function repertoire(one) {
    const isGood = ({ kind, expected, ...other }) =>
      kind === one.kind && expected === 'token' && isAccess(other) === isAccess(one);
    return one.expected.startsWith('retry') ? [one, cases.find(isGood)] : [one];
  }

  /** The server, which gives these answers in turn and then none that is of use. */
  async function answering(answers) {
    const { origin } = runtime;
    await fetch(`${origin}/answers`, { method: 'POST', body: JSON.stringify(answers) });
    const asked = async () => await (await fetch(`${origin}/asked`)).json();
    return { url: origin, host: new URL(origin).host, asked };
  }

  /** An error of gatepass's own, whose texts show no token. */
  async function rejection(promise) {
    const error = await promise.then(
      () => new Error('it was not rejected'),
      (error) => error,
    );
    if (error.code === undefined) throw error;
    if (/eyJ|ya29|MIIEv/.test(`${error.message} ${error.stack}`)) throw new Error('a token is shown');
    return error;
  }
}

/** Why a case of the corpus cannot be run here, if it cannot. */
function lacking({ hidesRedirects, lacks }, { kind, status, env, expected, input }) {
  if (hidesRedirects && status >= 300 && status < 400) return 'fetch shows nobody a redirect here';
  if (kind === 'credential_file' && expected === 'accept' && needs('programs', input, env ?? {})) return lacks.programs;
  return undefined;
}

function isAccess({ body }) {
  return body !== undefined && body.includes('access_token');
}

function verdict(isRight, found) {
  return isRight ? 'right' : found;
}

/**
 * Fetches both kinds of tokens with every kind of credentials, which the emulator gives. Whether they are right is for
 * whoever can ask the emulator.
 *
 * @param {Runtime} runtime
 * @param {object} matrix
 * @param {object[]} matrix.rows of tests/vectors/credentials, each with its credentials and its environment
 * @returns {Promise<Record<string, { claims: object, accessToken: unknown }>>}
 */
export async function fetchWithCredentials(runtime, { audience, scope, url, rows }, skip) {
  const granted = {};
  for (const { name, credentials, env, options = {}, supplier } of rows) {
    const why = Object.entries(runtime.lacks).find(([what]) => needs(what, credentials, env));
    if (why !== undefined) {
      skip(`credentials ${name}`, why[1]);
      continue;
    }
    const { GatePass, Verifier } = started({ ...runtime, origin: undefined }, env);
    const suppliers = supplier && { [supplier]: async () => 'subjectTokenOfTheSupplier' };
    const given = credentials === undefined ? {} : { credentials };
    const gatepass = new GatePass({ ...given, ...spelled(options), suppliers });
    const verifier = new Verifier({ audience, keysUrl: `${url}/oauth2/v3/certs` });
    granted[name] = {
      claims: await outcome(async () => await verifier.verify(await gatepass.fetchIdToken(audience))),
      accessToken: await outcome(async () => await gatepass.fetchAccessToken(scope)),
    };
  }
  return granted;
}

/** Whether credentials need something of a runtime. */
function needs(what, credentials, env) {
  const file = credentials === undefined ? {} : JSON.parse(credentials);
  const source = sourceOf(file);
  switch (what) {
    case 'files':
      return source.file !== undefined || env.AWS_WEB_IDENTITY_TOKEN_FILE !== undefined;
    case 'programs':
      // One that may not be run is refused before.
      return source.executable !== undefined && env.GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES === '1';
    case 'certificates':
      return source.certificate !== undefined || Boolean(file.ca_cert_path);
    default:
      throw new Error(`nobody knows what needs ${what}`);
  }
}

function sourceOf({ credential_source: source, source_credentials: inner }) {
  return source ?? (inner === undefined ? {} : sourceOf(inner));
}

async function outcome(work) {
  try {
    return await work();
  } catch (error) {
    return { error: error.code ?? `${error}` };
  }
}

/** Options by their names at the border, as this package spells them. */
function spelled(options) {
  const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value]));
}
