/** Calls that carry tokens. */

import { Metadata, credentials, status } from '@grpc/grpc-js';

import { checkOptions } from '../../arguments.js';
import { GatepassError } from '../../errors.js';
import { GatePass, audienceForUrl } from '../index.js';
import { combined, sent } from './repeat.js';

const ID_TOKEN_OPTIONS = { audience: 'string', gatepass: 'object', tokenHeader: 'string' };

export function idTokenCredentials(channelCredentials, options = {}) {
  const { audience, gatepass, tokenHeader } = checkOptions('idTokenCredentials', options, ID_TOKEN_OPTIONS);
  const clients = new Clients(gatepass, (from) => {
    return from.getIdTokenClient(audience, { tokenHeader, grpc: { isEncrypted: true } });
  });
  return composed(channelCredentials, 'idTokenCredentials', (url) => ({ client: clients.get(), url }));
}

export function accessTokenCredentials(channelCredentials, options = {}) {
  const { scopes, gatepass } = checkOptions('accessTokenCredentials', options, {
    scopes: 'strings',
    gatepass: 'object',
  });
  const clients = new Clients(gatepass, (from) => {
    return from.getAccessTokenClient(scopes, { grpc: { isEncrypted: true } });
  });
  return composed(channelCredentials, 'accessTokenCredentials', (url) => ({ client: clients.get(), url }));
}

export function insecureIdTokenInterceptor(options = {}) {
  const types = { ...ID_TOKEN_OPTIONS, allowPlaintextLoopback: 'boolean' };
  const { audience, gatepass, tokenHeader, allowPlaintextLoopback } = checkOptions(
    'insecureIdTokenInterceptor',
    options,
    types,
  );
  const grpc = { isEncrypted: false, allowPlaintextLoopback };
  const clients = new Clients(gatepass, (from, audience) => {
    return from.getIdTokenClient(audience, { tokenHeader, grpc });
  });
  return (options, nextCall) => {
    let target;
    // Whom the call is for says its authority; where it goes, and whether anybody can listen on the way, its target.
    const own = callCredentials((url) => ({
      client: clients.get(audience ?? audienceForUrl(url)),
      url: `https://${hostOf(target)}`,
    }));
    const call = nextCall({ ...options, credentials: combined(options.credentials, own) });
    target = call.getPeer();
    return call;
  };
}

/** These credentials, with those of each call. */
function composed(channelCredentials, of, clientFor) {
  try {
    return channelCredentials.compose(callCredentials(clientFor));
  } catch (cause) {
    throw new GatepassError(
      {
        code: 'INVALID_OPTION',
        message:
          `${of} got channel credentials without TLS, where a token would travel unprotected; expected others, such as ` +
          'credentials.createSsl(), or, to a loopback address, insecureIdTokenInterceptor',
      },
      { cause },
    );
  }
}

/**
 * Call credentials that send a client's token. gRPC asks them for each attempt of a call.
 *
 * They are handed to nobody: as an option of a single call grpc-js would send them on any channel.
 *
 * @param {(url: string) => { client: Promise<AuthClient>, url: string }} clientFor the client for a service's URL, and the
 *   URL to give it
 */
function callCredentials(clientFor) {
  return credentials.createFromMetadataGenerator((attempt, callback) => {
    metadataFor(attempt, clientFor).then(
      (metadata) => callback(null, metadata),
      (error) => callback(failure(error)),
    );
  });
}

async function metadataFor(attempt, clientFor) {
  const { client: made, url } = clientFor(attempt.service_url);
  const client = await made;
  const headers = await client.getPlainHeaders(url);
  sent(attempt, client, headers, url);
  const metadata = new Metadata();
  for (const name of Object.keys(headers)) metadata.set(name, headers[name]);
  return metadata;
}

/**
 * How a call ends that gets no token (gRPC documentation, "Status codes", UNAUTHENTICATED: "Credentials failed to get
 * metadata").
 */
function failure(error) {
  const code = error.retryable === true ? status.UNAVAILABLE : status.UNAUTHENTICATED;
  return Object.assign(new Error(error.message, { cause: error }), { code });
}

/** Clients of one source, each made when it is first needed: by then its user has set the environment up. */
class Clients {
  #gatepass;
  #make;
  /** Audience → client. Audiences are those of a program's channels, so there are few. */
  #made = new Map();

  /** @param {(gatepass: GatePass, audience?: string) => Promise<AuthClient>} make */
  constructor(gatepass, make) {
    this.#gatepass = gatepass;
    this.#make = make;
  }

  get(audience) {
    let client = this.#made.get(audience);
    if (client === undefined) {
      client = this.#make(this.#gatepass ?? GatePass.applicationDefault(), audience);
      this.#made.set(audience, client);
    }
    return client;
  }
}

/**
 * The host of a channel's target with its port, `127.0.0.1:50051` of `dns:///127.0.0.1:50051` (gRPC documentation, "Name
 * Resolution"). Other schemes than these have none, and stay as they are: they lead anywhere.
 */
function hostOf(target) {
  return target.replace(/^(?:dns:(?:\/\/[^/]*\/)?|ipv4:|ipv6:)/, '');
}
