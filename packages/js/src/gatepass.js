/** All that users import, on one host. */

import { checkOptions, typed } from './arguments.js';
import { audienceForUrl, sameAudienceSpellings } from './audience.js';
import { CLIENT_OPTIONS, Calls } from './calls.js';
import { AuthClient } from './client.js';
import { explain } from './explanation.js';
import { Source } from './source.js';
import { verifyingOn } from './verifying.js';

/** @param {Host} host */
export function gatepassOn(host) {
  class GatePass {
    #source;

    /** The process's own source. */
    static applicationDefault() {
      return (host.shared.source ??= new GatePass());
    }

    constructor(options = {}) {
      this.#source = new Source(host, options);
    }

    async fetchIdToken(audience, options) {
      return valueOf(this.#token('id_token', audience, options));
    }

    async fetchIdTokenInfo(audience, options) {
      return (await this.#token('id_token', audience, options)).info;
    }

    async fetchAccessToken(scopes, options) {
      return valueOf(this.#token('access_token', scopeText(scopes), options));
    }

    async fetchAccessTokenInfo(scopes, options) {
      return (await this.#token('access_token', scopeText(scopes), options)).info;
    }

    async fetchSelfSignedJwt(audience, options) {
      return valueOf(this.#token('self_signed_jwt', audience, options));
    }

    async getIdTokenClient(audience, options = {}) {
      if (audience !== undefined) typed('audience', 'string', audience);
      checkOptions('getIdTokenClient', options, CLIENT_OPTIONS);
      return new AuthClient(new Calls(host, this.#source, 'id_token', audience, options));
    }

    async getAccessTokenClient(scopes, options = {}) {
      checkOptions('getAccessTokenClient', options, CLIENT_OPTIONS);
      return new AuthClient(new Calls(host, this.#source, 'access_token', scopeText(scopes), options));
    }

    async fetchPrincipal(options = {}) {
      const { signal } = checkOptions('fetchPrincipal', options, { signal: 'signal' });
      const { email, project_id: projectId } = await this.#source.principal(signal);
      return { email, projectId };
    }

    async signBytes(bytes, options = {}) {
      typed('bytes', 'bytes', bytes);
      const { signal } = checkOptions('signBytes', options, { signal: 'signal' });
      const { key_id: keyId, signature } = await this.#source.signature(bytes, signal);
      return { keyId, signature: Uint8Array.from(atob(signature), (letter) => letter.charCodeAt(0)) };
    }

    invalidate(token) {
      return this.#source.invalidate(typed('token', 'string', token));
    }

    #token(kind, target, options) {
      typed('audience', 'string', target);
      if (options === undefined) return this.#source.token(kind, target);
      return this.#source.token(kind, target, checkOptions('fetch', options, { signal: 'signal' }).signal);
    }
  }

  return {
    ...verifyingOn(host),
    GatePass,
    audienceForUrl: (url) => audienceForUrl(host, url),
    explain: (token, options) => explain(host, token, options),
    fetchAccessToken: async (scopes, options) =>
      await GatePass.applicationDefault().fetchAccessToken(scopes, options),
    fetchIdToken: async (audience, options) =>
      await GatePass.applicationDefault().fetchIdToken(audience, options),
    sameAudienceSpellings: (audience) => sameAudienceSpellings(host, audience),
  };
}

/** The text of a token, or a promise of it where the token is none but a promise. */
function valueOf(token) {
  return token instanceof Promise ? token.then(valueOf) : token.value;
}

function scopeText(scopes = '') {
  return Array.isArray(typed('scopes', 'strings', scopes)) ? scopes.join(' ') : scopes;
}
