/**
 * google-auth-library, unmodified, and gatepass: with the same credentials each gets what the other gets, and each
 * verifies the other's ID tokens.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { GatePass, Verifier } from 'gatepass';
import { ExternalAccountClient, GoogleAuth, Impersonated, OAuth2Client } from 'google-auth-library';

import {
  EMAIL,
  setEnvironment,
  startEmulator,
  temporaryFolder,
} from '../../../packages/js/test/support/emulator.js';

const AUDIENCE = 'https://receiver.example';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const CALLER = 'caller@emulator.iam.gserviceaccount.com';
const PERSON = 'person@example.com';

const folder = temporaryFolder({ after });
const subjectTokenFile = join(folder, 'subject-token');
const authority = join(folder, 'authority.pem');
const { globalAgent } = https;
let emulator;

before(async () => {
  emulator = await startEmulator();
  writeFileSync(subjectTokenFile, 'a subject token');
  writeFileSync(authority, await emulator.authority());
  // The library asks Google's own hosts, whatever some files say: here the emulator is behind all of them.
  https.globalAgent = new Redirection(new URL(emulator.url));
});
beforeEach(() => setEnvironment({ ...emulator.environment, GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: '1' }));
after(async () => {
  https.globalAgent = globalAgent;
  await emulator?.stop();
});

/** Brings every request to the emulator, under a name that it knows. */
class Redirection extends https.Agent {
  #place;

  constructor(place) {
    super();
    this.#place = place;
  }

  addRequest(request, ...others) {
    request.setHeader('host', this.#place.host);
    super.addRequest(request, ...others);
  }

  createConnection() {
    return connect(this.#place.port, this.#place.hostname);
  }
}

/** A service account, and what makes a file with which somebody else acts for it. */
const IMPERSONATION = ['--type', 'impersonated_service_account', '--email', CALLER, '--person', PERSON];
const BETWEEN = 'between@emulator.iam.gserviceaccount.com';
/** How the library refuses an ID token. */
const NO_ID_TOKEN = /Cannot fetch ID token in this environment/;

/**
 * Every kind of credentials: what makes its file; the e-mail of whom it acts for, if there is one; and whether the
 * library gets ID tokens with it.
 */
const KINDS = [
  { name: 'the metadata server', email: EMAIL, hasIdTokens: true },
  { name: 'a service account’s key', args: ['--email', CALLER], email: CALLER, hasIdTokens: true },
  { name: 'a person’s login', args: ['--type', 'authorized_user', '--email', PERSON], email: PERSON },
  {
    name: 'a login in a workforce pool',
    args: ['--type', 'external_account_authorized_user', '--email', PERSON],
  },
  { name: 'impersonation', args: IMPERSONATION, email: CALLER, hasIdTokens: true },
  {
    name: 'impersonation through another account',
    args: [...IMPERSONATION, '--delegate', BETWEEN],
    email: CALLER,
    hasIdTokens: true,
  },
  ...['service_account', 'external_account', 'impersonated_service_account'].map((source) => ({
    name: `impersonation by ${source}`,
    args: ['--type', 'impersonated_service_account', '--email', CALLER, '--source-credentials', source],
    email: CALLER,
    hasIdTokens: true,
  })),
  ...['file', 'url', 'executable', 'aws'].flatMap((source) => [
    { name: `federation, ${source}`, args: federation(source, '--email', CALLER), email: CALLER },
    { name: `federation without an account, ${source}`, args: federation(source, '--no-impersonation') },
  ]),
];

for (const { name, args, email, hasIdTokens } of KINDS) {
  test(`${name}: both get the same access token`, async () => {
    const credentials = args && (await emulator.keyFile(...args));
    const google = await new GoogleAuth({ credentials, scopes: SCOPE }).getAccessToken();
    await assertSameOwner(google, await new GatePass({ credentials }).fetchAccessToken(SCOPE), email);
  });

  test(`${name}: what the library does about an ID token`, async () => {
    const credentials = args && (await emulator.keyFile(...args));
    // With these it asks for the access token with which it impersonates.
    const scopes = credentials?.type === 'impersonated_service_account' ? SCOPE : undefined;
    const fetching = fetchedByGoogle(new GoogleAuth({ credentials, scopes }));
    if (hasIdTokens) {
      const { aud, ...claims } = await verifier().verify(await fetching);
      assert.deepEqual([claims.email, aud], [email, AUDIENCE]);
    } else if (email === PERSON) {
      // Google's answer to a login of gcloud's has none for another audience, and so has the emulator's.
      assert.equal(await fetching, undefined);
    } else {
      await assert.rejects(fetching, NO_ID_TOKEN);
    }
  });

  test(`${name}: the library verifies gatepass’s ID token`, async () => {
    const credentials = args && (await emulator.keyFile(...args));
    const fetching = new GatePass({ credentials }).fetchIdToken(AUDIENCE);
    if (email === undefined || email === PERSON) {
      await assert.rejects(fetching, { code: 'ID_TOKEN_UNSUPPORTED' });
    } else {
      assert.equal((await verifiedByGoogle(await fetching)).email, email);
    }
  });
}

// Node reads the authorities that it trusts when it starts.
for (const args of [['--email', CALLER], ['--no-impersonation']]) {
  test(`federation, certificate, ${args[0]}: both get the same access token`, async () => {
    const path = join(folder, 'certificate.json');
    await emulator.writeKeyFile(path, ...federation('certificate', ...args));
    const program = `
      import { GatePass } from 'gatepass';
      import { GoogleAuth } from 'google-auth-library';
      const google = await new GoogleAuth({ scopes: '${SCOPE}' }).getAccessToken();
      const ours = await new GatePass().fetchAccessToken('${SCOPE}');
      console.log(JSON.stringify({ google, ours }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: import.meta.dirname,
      env: { ...process.env, GOOGLE_APPLICATION_CREDENTIALS: path, NODE_EXTRA_CA_CERTS: authority },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { google, ours } = JSON.parse(Buffer.concat(await child.stdout.toArray()));
    await assertSameOwner(google, ours, args[1]);
  });
}

test('Google Distributed Cloud: both get the same access token', async () => {
  const keyFilename = join(folder, 'distributed.json');
  await emulator.writeKeyFile(keyFilename, '--type', 'gdch_service_account', '--name', 'identity');
  const client = (await new GoogleAuth({ keyFilename }).getClient()).createWithGdchAudience(AUDIENCE);
  const { token } = await client.getAccessToken();
  const ours = new GatePass({ keyFilename, gdchAudience: AUDIENCE });
  assert.deepEqual(await ownerOf(await ours.fetchAccessToken()), await ownerOf(token));
});

test('a supplier of one’s own is asked the same by both', async () => {
  const { credential_source: _, ...credentials } = await emulator.keyFile(
    ...federation('url', '--email', CALLER),
  );
  const asked = [];
  const getSubjectToken = ({ audience, subjectTokenType }) => {
    asked.push([audience, subjectTokenType]);
    return 'a subject token';
  };
  const google = ExternalAccountClient.fromJSON({
    ...credentials,
    subject_token_supplier: { getSubjectToken: async (context) => getSubjectToken(context) },
  });
  const ours = new GatePass({
    credentials: { ...credentials, credential_source: { supplier: 'own' } },
    suppliers: {
      own: ({ audience, tokenType }) => getSubjectToken({ audience, subjectTokenType: tokenType }),
    },
  });
  const { token } = await google.getAccessToken();
  await assertSameOwner(token, await ours.fetchAccessToken(SCOPE), CALLER);
  assert.deepEqual(asked[0], asked[1]);
  assert.equal((await verifiedByGoogle(await ours.fetchIdToken(AUDIENCE))).email, CALLER);
});

test('both impersonate with the credentials that they find', async () => {
  const sourceClient = await new GoogleAuth({ scopes: SCOPE }).getClient();
  const google = new Impersonated({
    sourceClient,
    targetPrincipal: CALLER,
    targetScopes: [SCOPE],
    delegates: [BETWEEN],
  });
  const ours = new GatePass({ impersonate: CALLER, delegates: BETWEEN });
  const { token } = await google.getAccessToken();
  await assertSameOwner(token, await ours.fetchAccessToken(SCOPE), CALLER);
  assert.equal((await verifier().verify(await google.fetchIdToken(AUDIENCE))).email, CALLER);
  assert.equal((await verifiedByGoogle(await ours.fetchIdToken(AUDIENCE))).email, CALLER);
});

test('both clients make the same request', async () => {
  const receiver = `${emulator.url}/oauth2/v3/certs`;
  const [google, ours] = [
    await (await new GoogleAuth().getIdTokenClient(AUDIENCE)).request({ url: receiver }),
    await (await new GatePass().getIdTokenClient(AUDIENCE)).request({ url: receiver }),
  ];
  assert.equal(ours.status, google.status);
  assert.deepEqual(ours.data, google.data);
  assert.equal(ours.headers.get('content-type'), google.headers.get('content-type'));

  const absent = { url: `${emulator.url}/absent` };
  for (const auth of [new GoogleAuth(), new GatePass()]) {
    const client = await auth.getIdTokenClient(AUDIENCE);
    assert.match((await client.getRequestHeaders()).get('authorization'), /^Bearer ey/);
    await assert.rejects(
      client.request(absent),
      (error) => error.status === 404 && error.response.status === 404,
    );
  }
});

function federation(source, ...args) {
  const file = source === 'file' ? ['--file', subjectTokenFile] : [];
  return ['--type', 'external_account', '--source', source, ...file, ...args];
}

/** The library asks for all that a person has agreed to, and gatepass for what it is given; that is all that may differ. */
async function assertSameOwner(google, ours, email) {
  const [{ scope: googles, ...owner }, { scope, ...other }] = [await ownerOf(google), await ownerOf(ours)];
  assert.deepEqual(other, owner);
  assert.equal(owner.email, email);
  assert.equal(scope, SCOPE);
  assert.ok(googles.split(' ').includes(SCOPE), googles);
}

async function ownerOf(accessToken) {
  const { error, email, sub, azp, scope } = await emulator.tokenInfo(accessToken);
  assert.equal(error, undefined);
  return { email, sub, azp, scope };
}

function verifier() {
  return new Verifier({ audience: AUDIENCE, keysUrl: emulator.keysUrl });
}

async function fetchedByGoogle(auth) {
  return await (await auth.getIdTokenClient(AUDIENCE)).idTokenProvider.fetchIdToken(AUDIENCE);
}

async function verifiedByGoogle(idToken) {
  const endpoints = { oauth2FederatedSignonPemCertsUrl: `${emulator.url}/oauth2/v1/certs` };
  const ticket = await new OAuth2Client({ endpoints }).verifyIdToken({ idToken, audience: AUDIENCE });
  return ticket.getPayload();
}
