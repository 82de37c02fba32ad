/** Certificates for tests, made by openssl: an authority, and whom it vouches for. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** An authority whose files are in `folder`; `path` is its own certificate. */
export function makeAuthority(folder, name) {
  const path = join(folder, `${name}.pem`);
  const keyPath = join(folder, `${name}.key.pem`);
  request(name, keyPath, ['-x509', '-out', path]);
  return {
    path,
    /** A certificate for this name, valid for 127.0.0.1, and its key. */
    vouchFor(subject) {
      const cert_path = join(folder, `${subject}.pem`);
      const key_path = join(folder, `${subject}.key.pem`);
      const extension = 'subjectAltName=IP:127.0.0.1';
      const signed = ['-x509', '-CA', path, '-CAkey', keyPath, '-addext', extension, '-out', cert_path];
      request(subject, key_path, signed);
      return { cert_path, key_path };
    },
  };
}

const NEW_KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2';

function request(name, keyPath, args) {
  const common = [...NEW_KEY.split(' '), '-subj', `/CN=${name}`, '-keyout', keyPath];
  execFileSync('openssl', ['req', ...common, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}
