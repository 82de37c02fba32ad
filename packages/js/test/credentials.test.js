/** Every kind of credentials of `tests/vectors/credentials`, fetched with against the emulator; and no secret shown. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startEmulator, temporaryFolder } from './support/emulator.js';
import { read } from './support/vectors.js';

const PROGRAM = fileURLToPath(new URL('support/credentials.js', import.meta.url));
const { audience, scope, rows } = read('credentials/matrix.json');
assert.ok(rows.length > 0);
/** The role of the emulator's AWS instance: an answer that is a name, and part of a URL. */
const ROLE = 'gatepass-emulator-role';

const authority = join(temporaryFolder({ after }), 'authority.pem');
let emulator;
before(async () => {
  emulator = await startEmulator();
  writeFileSync(authority, await emulator.authority());
});
after(() => emulator?.stop());
beforeEach(() => emulator.reset());

for (const row of rows) {
  test(row.name, async (t) => {
    const { granted, refused, secrets, shown } = await fetchWith(row, await environmentOf(t, row));

    if (row.id_token.error) assert.deepEqual(granted.claims, row.id_token);
    else assert.equal(granted.claims.email, row.id_token.email);
    if (row.access_token.error) {
      assert.deepEqual(granted.accessToken, row.access_token);
    } else {
      const info = await emulator.tokenInfo(granted.accessToken);
      for (const [name, value] of Object.entries(row.access_token)) assert.equal(info[name], value);
    }

    for (const [path, { claims, accessToken }] of Object.entries(refused)) {
      assert.ok(claims.error || accessToken.error, `nobody minds that ${path} refuses`);
    }
    for (const secret of secrets.filter((name) => name !== ROLE)) {
      assert.ok(!shown.includes(secret), `${secret} is shown: ${shown}`);
    }
  });
}

/** The environment in which the row's credentials are found, and nothing else. */
async function environmentOf(t, { key, env }) {
  const environment = { PATH: process.env.PATH, HOME: '/nonexistent', NODE_EXTRA_CA_CERTS: authority };
  const stem = join(temporaryFolder(t), 'credentials');
  if (key !== null) {
    environment.GOOGLE_APPLICATION_CREDENTIALS = `${stem}.json`;
    await emulator.writeKeyFile(environment.GOOGLE_APPLICATION_CREDENTIALS, ...key);
  }
  const values = Object.entries(env).map(([name, value]) => [
    name,
    value.replace('{emulator}', emulator.url).replace('{stem}', stem),
  ]);
  return { ...environment, ...emulator.environment, ...Object.fromEntries(values) };
}

/** What `support/credentials.js` reports; shown is also whatever Node logs of it. */
async function fetchWith({ options, supplier }, environment) {
  const order = JSON.stringify({ audience, scope, url: emulator.url, options, supplier });
  const child = spawn(process.execPath, [PROGRAM, order], {
    env: { ...environment, NODE_DEBUG: 'http,https,net,tls' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [report, log] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );
  assert.ok(report.length > 0, log);
  const { shown, ...rest } = JSON.parse(report);
  return { ...rest, shown: shown + log };
}
