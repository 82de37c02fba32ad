/** Certificates that a request brings along: those to present, and those to trust. */

import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { textOfFile } from './reading.js';
import { StepFailure } from '../../driver/step-failure.js';

/**
 * The TLS context for a request; its files are read anew, because certificates rotate.
 *
 * @param step its `client_certificate` is presented; `ca_certificate_path` is trusted instead of the system's roots
 * @param {{ body_bytes: number }} limits of a file
 * @param {AbortSignal} signal
 */
export async function secureContextFor({ client_certificate, ca_certificate_path }, { body_bytes }, signal) {
  const { cert_path, key_path } = client_certificate ?? {};
  const paths = [cert_path, key_path, ca_certificate_path].filter(Boolean);
  const texts = new Map();
  for (const path of paths) texts.set(path, await using(path, () => contentsOf(path, body_bytes, signal)));
  const [cert, key, ca] = [cert_path, key_path, ca_certificate_path].map((path) => texts.get(path));
  // Of authorities the context would pass over what is no certificate.
  if (ca !== undefined) await using(ca_certificate_path, () => new X509Certificate(ca));
  return await using(paths.join(', '), () => createSecureContext({ cert, key, ca }));
}

async function contentsOf(path, limit, signal) {
  const text = await textOfFile(path, limit, signal);
  // For the context an empty one would be as good as none.
  if (text === '') throw new Error('the file is empty');
  return text;
}

/** What `work` gives; its error then names the files that it was about. */
async function using(paths, work) {
  try {
    return await work();
  } catch (error) {
    throw new StepFailure('other', `the certificate cannot be used: ${paths}: ${error.message}`);
  }
}
