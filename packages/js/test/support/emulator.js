/** The emulator of Google's endpoints, as the tests of this package want it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Emulator } from 'gatepass/testing';

import { host } from '../../src/node/host.js';

/** The service account of the emulator's metadata server. */
export const EMAIL = 'default@emulator.iam.gserviceaccount.com';
/** A service account that has a key. */
export const CALLER = 'caller@emulator.iam.gserviceaccount.com';

/** Starts one: call it at the top of a test file's `before`. */
export async function startEmulator() {
  return await Emulator.start({ arguments: ['--email', EMAIL] });
}

/** Variables by which credentials are found; a developer's own must not reach a test. */
const CREDENTIAL_VARIABLES = [
  'GOOGLE_APPLICATION_CREDENTIALS',
  'CLOUDSDK_CONFIG',
  'APPDATA',
  'NO_GCE_CHECK',
  'METADATA_SERVER_DETECTION',
  'GCE_METADATA_HOST',
  'GCE_METADATA_ROOT',
  'GCE_METADATA_IP',
  'K_SERVICE',
  'FUNCTION_NAME',
  'CLOUD_RUN_JOB',
  'CLOUD_RUN_WORKER_POOL',
  'GATEPASS_TRUSTED_ENDPOINTS',
  'GATEPASS_DANGEROUSLY_TRUST_EMULATOR',
  'GATEPASS_EMULATOR',
  'http_proxy',
  'HTTP_PROXY',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'GOOGLE_API_CERTIFICATE_CONFIG',
  'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES',
  'CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** Replaces this process's credential environment, and forgets what was found in the old one. */
export function setEnvironment(values) {
  for (const name of CREDENTIAL_VARIABLES) delete process.env[name];
  Object.assign(process.env, { HOME: '/nonexistent' }, values);
  host.shared = {};
}

/** An empty folder that goes with the test. */
export function temporaryFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'gatepass-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}
