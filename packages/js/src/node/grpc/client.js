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
 * @param {(url: string) => { client: AuthClient | Promise<AuthClient>, url: string }} clientFor the client for a service's URL, and the
 *   URL to give it
 */
function callCredentials(clientFor) {
  const form = new Form();
  return credentials.createFromMetadataGenerator((attempt, callback) => {
    const { client, url } = clientFor(attempt.service_url);
    const attach = async (client) => {
      const headers = await client.getPlainHeaders(url);
      sent(attempt, client, headers, url);
      return form.of(headers);
    };
    (client instanceof Promise ? client.then(attach) : attach(client)).then(
      (metadata) => callback(null, metadata),
      (error) => callback(failure(error)),
    );
  });
}

/** Headers as metadata, made once for each token. */
class Form {
  #headers = {};
  #metadata;

  of(headers) {
    const names = Object.keys(headers);
    const { length } = Object.keys(this.#headers);
    if (names.length !== length || names.some((name) => headers[name] !== this.#headers[name])) {
      this.#metadata = new Metadata();
      for (const name of names) this.#metadata.set(name, headers[name]);
      this.#headers = headers;
    }
    return this.#metadata;
  }
}

/** How a call ends that gets no token. */
function failure(error) {
  const code = error.grpcCallCode ?? status.UNAUTHENTICATED;
  return Object.assign(new Error(error.message, { cause: error }), { code });
}

/** Clients of one source, each made when it is first needed: by then its user has set the environment up. */
class Clients {
  #gatepass;
  #make;
  /** Audience → client, or a promise of it. Audiences are those of a program's channels, so there are few. */
  #made = new Map();

  /** @param {(gatepass: GatePass, audience?: string) => Promise<AuthClient>} make */
  constructor(gatepass, make) {
    this.#gatepass = gatepass;
    this.#make = make;
  }

  /** The client, itself if it is there. */
  get(audience) {
    let client = this.#made.get(audience);
    if (client === undefined) {
      client = this.#make(this.#gatepass ?? GatePass.applicationDefault(), audience);
      this.#made.set(audience, client);
      client.then(
        (made) => this.#made.set(audience, made),
        () => {}, // Whoever asks hears of it.
      );
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
