/** gRPC with `@grpc/grpc-js`: calls that carry tokens, and servers that check them. */

import type { ChannelCredentials, Interceptor, Metadata, ServerInterceptor } from '@grpc/grpc-js';

import type { ClientOptions, GatePass, GatepassError, IdTokenClaims, VerifierOptions } from './index.js';

/**
 * These channel credentials, with an ID token for each call. Make the channel once and keep it: each attempt of a call
 * gets a token that is fresh. A stream keeps the token that it was opened with for as long as it lasts.
 *
 * A call that gets no token ends with `UNAVAILABLE` where it may succeed later, else with `UNAUTHENTICATED`.
 *
 * @param channelCredentials with TLS, such as those of `credentials.createSsl()`
 * @throws {GatepassError} `INVALID_OPTION`, for credentials without TLS as well
 */
export function idTokenCredentials(
  channelCredentials: ChannelCredentials,
  options?: IdTokenOptions,
): ChannelCredentials;

/** How calls get their ID tokens. */
export interface IdTokenOptions extends Pick<ClientOptions, 'tokenHeader'> {
  /**
   * The receiver. Left out, it is `https://` and the host of the authority that is called, without its port and a traffic
   * tag: what Cloud Run expects.
   */
  audience?: string;
  /** Where tokens come from; `GatePass.applicationDefault()`, if left out. */
  gatepass?: GatePass;
}

/** The same with an access token, for Google's own APIs, and the project that is billed, if there is one. */
export function accessTokenCredentials(
  channelCredentials: ChannelCredentials,
  options?: AccessTokenOptions,
): ChannelCredentials;

/** How calls get their access tokens. */
export interface AccessTokenOptions extends Pick<IdTokenOptions, 'gatepass'> {
  /** What the token is good for; left out, the account's own, which only the metadata server knows. */
  scopes?: string | readonly string[];
}

/**
 * An interceptor for a channel without TLS (`credentials.createInsecure()`), whose calls then carry ID tokens: for the
 * emulator and for tests, to a loopback address only, and only with `allowPlaintextLoopback`. Other calls end with
 * `UNAUTHENTICATED`: anybody on the way could read the token.
 *
 * @throws {GatepassError} `INVALID_OPTION`
 */
export function insecureIdTokenInterceptor(options?: InsecureIdTokenOptions): Interceptor;

/** How calls without TLS get their ID tokens. */
export interface InsecureIdTokenOptions extends IdTokenOptions {
  /** Send tokens to a loopback address without TLS. */
  allowPlaintextLoopback?: boolean;
}

/**
 * An interceptor that repeats a unary call once that was answered `UNAUTHENTICATED`, with a newer token, where there is one;
 * at most one is asked for each minute. It knows the tokens of {@link idTokenCredentials}, {@link accessTokenCredentials} and
 * {@link insecureIdTokenInterceptor}. A stream is not repeated: the next call has the newer token.
 */
export const repeatUnauthenticated: Interceptor;

/**
 * An interceptor for servers that lets only calls with a valid ID token through (of several `authorization` values Node's
 * HTTP/2 keeps the first, which is the one that is checked); {@link claimsOf} gives its claims in the
 * handler.
 *
 * Others end with `UNAUTHENTICATED` for a missing or invalid token, `PERMISSION_DENIED` for a caller who is not on the list,
 * and `UNAVAILABLE` when the keys cannot be had; `google.rpc.ErrorInfo` among the status's details holds the error's code.
 * The service's log gets a line for it, which never shows the token.
 *
 * @throws {GatepassError} `INVALID_OPTION`
 */
export function requireIdToken(options: RequireIdTokenOptions): ServerInterceptor;

/** What {@link requireIdToken} takes: what a `Verifier` does, and the following. */
export interface RequireIdTokenOptions extends VerifierOptions {
  /** Let calls without any token through, without claims; a bad token is refused all the same. */
  optional?: boolean;
  /** Services that need no token: `'grpc.health.v1.Health'`. */
  openServices?: string | readonly string[];
  /** Learns why a call is refused, in place of the line that `console` gets. */
  onRefusal?: (error: GatepassError, call: RefusedCall) => void;
}

/** A call that is refused. */
export interface RefusedCall {
  /** The method's path: `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: Metadata;
}

/**
 * The claims of a call that `requireIdToken` has let through, in its handler.
 *
 * @throws {Error} there are none: it did not run, or let the call through without a token
 */
export function claimsOf(call: { metadata: Metadata }): IdTokenClaims;
