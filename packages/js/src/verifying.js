/** What users import of the part that verifies, on one host. */

import { checkOptions, typed } from './arguments.js';
import { ownAudiences } from './own-audiences.js';
import { Verifier as VerifierOn } from './verifier.js';

/** @param {Host} host */
export function verifyingOn(host) {
  class Verifier extends VerifierOn {
    constructor(options) {
      super(host, options);
    }
  }

  /** The process's own verifier of Google's ID tokens for an audience. */
  const verifierFor = (audience) => {
    const verifiers = (host.shared.verifiers ??= new Map());
    const key = JSON.stringify(audience);
    let verifier = verifiers.get(key);
    if (verifier === undefined) {
      verifier = new Verifier({ audience });
      // Audiences come from the program, so there are few; the bound is for those that do not.
      if (verifiers.size >= host.limits.held_tokens) verifiers.clear();
      verifiers.set(key, verifier);
    }
    return verifier;
  };

  return {
    Verifier,
    ownAudiences: async (options) => await ownAudiences(host, options),
    verifyIdToken: async (token, options = {}) => {
      typed('token', 'string', token);
      const { audience, signal } = checkOptions('verifyIdToken', options, {
        audience: 'strings',
        signal: 'signal',
      });
      return await verifierFor(audience).verify(token, { signal });
    },
  };
}
