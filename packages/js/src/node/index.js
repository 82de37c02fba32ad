/** gatepass for Node.js: what users import. `index.d.ts` documents it. */

import { audienceForUrl } from '../audience.js';
import { AuthClient } from '../client.js';
import { native } from '../native.js';
import { Source } from '../source.js';
import { Verifier } from '../verifier.js';

export { audienceForUrl, ownAudiences, sameAudienceSpellings } from '../audience.js';
export { unverified } from '../claims.js';
export { ResponseError } from '../client.js';
export { CredentialsError, GatepassError, TransportError, VerifyError } from '../errors.js';
export { explain } from '../explanation.js';
export { Verifier };

export class GatePass {
  #source;

  constructor(options = {}) {
    this.#source = new Source(options);
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
      this.#source.token('id_token', audience ?? audienceForUrl(url), signal),
    );
  }

  async getAccessTokenClient(scopes) {
    const target = scopeText(scopes);
    return new AuthClient((_url, signal) => this.#source.token('access_token', target, signal));
  }
}

export async function fetchIdToken(audience, options) {
  return await applicationDefault().fetchIdToken(audience, options);
}

export async function fetchAccessToken(scopes, options) {
  return await applicationDefault().fetchAccessToken(scopes, options);
}

export async function verifyIdToken(token, { audience, ...options } = {}) {
  return await verifierFor(audience).verify(token, options);
}

export const version = native.VERSION;

let processWide;

/** The process's own source: Application Default Credentials. */
function applicationDefault() {
  return (processWide ??= new GatePass());
}

/** Audiences come from the program, so there are few; the bound is for those that do not. */
const MAX_VERIFIERS = 1_000;
const verifiers = new Map();

/** The process's own verifier of Google's ID tokens for an audience. */
function verifierFor(audience) {
  const key = JSON.stringify(audience);
  let verifier = verifiers.get(key);
  if (verifier === undefined) {
    verifier = new Verifier({ audience });
    if (verifiers.size >= MAX_VERIFIERS) verifiers.clear();
    verifiers.set(key, verifier);
  }
  return verifier;
}

/** The text of a token, or a promise of it where the token is none but a promise. */
function valueOf(token) {
  return token instanceof Promise ? token.then(valueOf) : token.value;
}

function scopeText(scopes = '') {
  return Array.isArray(scopes) ? scopes.join(' ') : scopes;
}
