/** All that users import, on one host. */

import { audienceForUrl, ownAudiences, sameAudienceSpellings } from './audience.js';
import { AuthClient } from './client.js';
import { explain } from './explanation.js';
import { Source } from './source.js';
import { Verifier as VerifierOn } from './verifier.js';

/** @param {Host} host */
export function gatepassOn(host) {
  class GatePass {
    #source;

    constructor(options = {}) {
      this.#source = new Source(host, options);
    }

    async fetchIdToken(audience, { signal } = {}) {
      return valueOf(this.#source.token('id_token', audience, signal));
    }

    async fetchAccessToken(scopes, { signal } = {}) {
      return valueOf(this.#source.token('access_token', scopeText(scopes), signal));
    }

    async fetchSelfSignedJwt(audience, { signal } = {}) {
      return valueOf(this.#source.token('self_signed_jwt', audience, signal));
    }

    async getIdTokenClient(audience) {
      return new AuthClient((url, signal) =>
        this.#source.token('id_token', audience ?? audienceForUrl(host, url), signal),
      );
    }

    async getAccessTokenClient(scopes) {
      const target = scopeText(scopes);
      return new AuthClient((_url, signal) => this.#source.token('access_token', target, signal));
    }
  }

  class Verifier extends VerifierOn {
    constructor(options) {
      super(host, options);
    }
  }

  /** The process's own source: Application Default Credentials. */
  const applicationDefault = () => (host.shared.source ??= new GatePass());

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
    GatePass,
    Verifier,
    audienceForUrl: (url) => audienceForUrl(host, url),
    explain: (token, options) => explain(host, token, options),
    fetchAccessToken: async (scopes, options) => await applicationDefault().fetchAccessToken(scopes, options),
    fetchIdToken: async (audience, options) => await applicationDefault().fetchIdToken(audience, options),
    ownAudiences: async (options) => await ownAudiences(host, options),
    sameAudienceSpellings: (audience) => sameAudienceSpellings(host, audience),
    verifyIdToken: async (token, { audience, ...options } = {}) =>
      await verifierFor(audience).verify(token, options),
  };
}

/** The text of a token, or a promise of it where the token is none but a promise. */
function valueOf(token) {
  return token instanceof Promise ? token.then(valueOf) : token.value;
}

function scopeText(scopes = '') {
  return Array.isArray(scopes) ? scopes.join(' ') : scopes;
}
