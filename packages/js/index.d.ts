/**
 * Service-to-service identity tokens on Google Cloud: fetch them, attach them, verify them.
 *
 * @packageDocumentation
 */

/** The version of gatepass, the same in all its packages. */
export const version: string;

/**
 * Fetches an ID token for `audience` with the process's Application Default Credentials.
 *
 * Tokens are cached and refreshed before they end; however many callers ask at once, one request is made.
 *
 * @param audience the receiver: its URL, its custom audience, or the OAuth client id of IAP
 * @throws {CredentialsError} the credentials cannot be found, read or used
 * @throws {TransportError} an endpoint cannot be reached, or answers nothing useful
 */
export function fetchIdToken(audience: string, options?: WaitOptions): Promise<string>;

/**
 * Fetches an access token with the process's Application Default Credentials; cached as {@link fetchIdToken} is.
 *
 * @param scopes OAuth 2.0 scopes, as a list or separated by spaces; none for the account's own, which only the metadata
 *   server knows
 * @throws {CredentialsError}
 * @throws {TransportError}
 */
export function fetchAccessToken(scopes?: string | readonly string[], options?: WaitOptions): Promise<string>;

/**
 * Loads the WebAssembly module where it cannot be loaded at once: await it in browsers and service workers before anything
 * else of this package. Elsewhere it need not be called.
 *
 * @param module where to get it, or itself: a `WebAssembly.Module`, its bytes, a `Response`, a URL, or a promise of one of
 *   them; the package's own `wasm/gatepass.wasm` if it is left out. In Node.js the native add-on is not used then.
 */
export function init(module?: object | string): Promise<void>;

/**
 * Verifies an ID token that Google has issued for this service and gives its claims.
 *
 * Each audience has one verifier in the process; make a {@link Verifier} for other issuers, keys or rules.
 *
 * @throws {VerifyError} why the token is refused
 */
export function verifyIdToken(token: string, options: VerifyIdTokenOptions): Promise<IdTokenClaims>;

/**
 * The audience to ask for when calling `url`: for Cloud Run the service's own URL, without the traffic tag, path or
 * port; for Cloud Functions of the first generation with the function's name; else the origin.
 *
 * @throws {GatepassError} `INVALID_AUDIENCE` when the URL is not `https` (a loopback host may have `http`)
 */
export function audienceForUrl(url: string | URL): string;

/**
 * Both spellings of a URL that is its own audience, without and with a slash at the end, for a receiver that accepts
 * either: audiences are compared exactly. Any other audience has one.
 */
export function sameAudienceSpellings(audience: string): string[];

/**
 * The audiences of the Cloud Run service that this process is: both spellings of its deterministic URL
 * `https://SERVICE-PROJECT_NUMBER.REGION.run.app`. The older URL, with a hash in it, and custom audiences cannot be
 * derived from inside: name those in addition.
 *
 * Asks the metadata server. Ask once, when the service starts.
 *
 * @throws {GatepassError} `INVALID_AUDIENCE` when this process is no Cloud Run service
 * @throws {TransportError} the metadata server does not answer
 */
export function ownAudiences(options?: WaitOptions): Promise<string[]>;

/**
 * Explains a token to whoever debugs a call: what it is, all that is wrong with it, and what to change.
 *
 * Options that are left out are derived from the token and the URL. Keys are used where they are given, and never fetched; in
 * browsers and workerd, which check no signature at once, the signature is left open. Never to let anybody in with: for that
 * there is {@link Verifier}.
 *
 * @throws {GatepassError} `INVALID_OPTION`, or `INVALID_AUDIENCE` when no audience can be derived from the URL
 */
export function explain(token: string, options?: ExplainOptions): Explanation;

/**
 * Marks claims that nothing proves: Cloud Run has removed the signature, and the verifier's option
 * `trustCloudRunAndSkipSignature` trusts it. `claims[unverified]` is `true` then and missing otherwise; no token can
 * hold a symbol.
 */
export const unverified: unique symbol;

/** Tokens of one principal, and the clients that attach them. Make one and keep it: it holds the cache. */
export class GatePass {
  /**
   * The process's own, with Application Default Credentials: the functions {@link fetchIdToken} and
   * {@link fetchAccessToken} use it, and share its tokens.
   */
  static applicationDefault(): GatePass;

  /** @throws {GatepassError} `INVALID_OPTION` */
  constructor(options?: GatePassOptions);

  /** As the function {@link fetchIdToken}, with these credentials. */
  fetchIdToken(audience: string, options?: WaitOptions): Promise<string>;

  /** As the function {@link fetchAccessToken}, with these credentials. */
  fetchAccessToken(scopes?: string | readonly string[], options?: WaitOptions): Promise<string>;

  /** The same as {@link fetchIdToken}, with the moment at which the token ends. */
  fetchIdTokenInfo(audience: string, options?: WaitOptions): Promise<TokenInfo>;

  /** The same as {@link fetchAccessToken}, with the moment at which the token ends. */
  fetchAccessTokenInfo(scopes?: string | readonly string[], options?: WaitOptions): Promise<TokenInfo>;

  /**
   * A JWT for `audience` that the service account's own key has signed (AIP-4111), without asking anybody; for those of
   * Google's APIs that take one in place of an access token.
   *
   * @throws {CredentialsError} `SELF_SIGNED_JWT_UNSUPPORTED` when the credentials have no key of their own
   */
  fetchSelfSignedJwt(audience: string, options?: WaitOptions): Promise<string>;

  /**
   * A client that calls other services with an ID token.
   *
   * @param audience the receiver; left out, each request's comes from its URL by {@link audienceForUrl}
   */
  getIdTokenClient(audience?: string, options?: ClientOptions): Promise<AuthClient>;

  /** A client that calls Google's APIs with an access token, and names the project that is billed, if there is one. */
  getAccessTokenClient(scopes?: string | readonly string[], options?: ClientOptions): Promise<AuthClient>;

  /** Who the credentials are: what is known without a token, and what the metadata server says. */
  fetchPrincipal(options?: WaitOptions): Promise<Principal>;

  /**
   * Signs bytes as the service account of the credentials: RSA with SHA-256, by its own key, or else by the IAM
   * Credentials API.
   *
   * @throws {CredentialsError} the credentials are no service account's, or may not sign
   */
  signBytes(bytes: Uint8Array, options?: WaitOptions): Promise<Signature>;

  /**
   * Has a token of this object's replaced before its time, for a client of your own whose request was answered 401: ask
   * for the token again, and repeat the request once. The clients made here do it by themselves.
   *
   * @param token as it was handed out
   * @returns whether there is, or will be, another one: at most one is asked for each minute
   */
  invalidate(token: string): boolean;
}

/** A token, and when it ends. */
export interface TokenInfo {
  token: string;
  expiresAt: Date;
}

/** Whose the credentials are; null where it is not known. */
export interface Principal {
  email: string | null;
  projectId: string | null;
}

/** What {@link GatePass.signBytes} gives. */
export interface Signature {
  /** The key's id, where it is known. */
  keyId: string | null;
  signature: Uint8Array;
}

/** How a client attaches tokens. */
export interface ClientOptions {
  /**
   * The header that carries the token; `authorization`, if left out. Cloud Run takes it from
   * `x-serverless-authorization` as well, which leaves `Authorization` to the application; `both` sends it in both.
   */
  tokenHeader?: 'authorization' | 'x-serverless-authorization' | 'both';
  /** Send tokens over `http`, too, where anybody on the way can read them; to this machine it is allowed anyway. */
  allowPlainHttp?: boolean;
  /**
   * The calls are gRPC's, whose URL is `https://HOST/PACKAGE.SERVICE`: the audience that is derived from it has no port,
   * and it is the channel that protects the token or not. For a gRPC library of your own; for `@grpc/grpc-js` there is
   * `gatepass/grpc`.
   */
  grpc?: GrpcChannel;
}

/** The channel of gRPC calls. */
export interface GrpcChannel {
  /** Whether it uses TLS, or something as good. */
  isEncrypted: boolean;
  /** Send tokens to a loopback address although it does not. */
  allowPlaintextLoopback?: boolean;
}

/** Where credentials come from; without any, Application Default Credentials. */
export interface GatePassOptions {
  /** The path of a credential file. */
  keyFilename?: string;
  /** The contents of a credential file, parsed or as text. Not together with `keyFilename`. */
  credentials?: object | string;
  /** The e-mail of a service account whose tokens to get with these credentials. */
  impersonate?: string;
  /** The service accounts in between, each of which may impersonate the next. */
  delegates?: string | readonly string[];
  /** The e-mail of a person to act for (domain-wide delegation). Access tokens only. */
  subject?: string;
  /** Let a service account's key sign access tokens itself (AIP-4111); otherwise an endpoint is asked for them. */
  selfSignedAccessTokens?: boolean;
  /** The audience of the tokens of a `gdch_service_account`. */
  gdchAudience?: string;
  /**
   * Let credentials of a person give the ID token of their login, which is for the OAuth client that they used and for
   * no other audience.
   */
  allowUserIdToken?: boolean;
  /** The `type` that a credential file must have, or `metadata` for the metadata server. */
  expectType?: string;
  /** The project that calls with access tokens are billed to; the credential file's, if left out. */
  quotaProjectId?: string;
  /** A universe in addition to Google's own whose endpoints are trusted. */
  universeDomain?: string;
  /** `host:port` of token endpoints that are trusted in addition to Google's own. */
  trustedEndpoints?: string | readonly string[];
  /**
   * Functions of your own that give subject tokens for workload identity federation, by the name with which the
   * credentials ask for them: `"credential_source": {"supplier": "name"}`. What one throws becomes the error's `cause`.
   */
  suppliers?: Readonly<Record<string, SubjectTokenSupplier>>;
  /** Gives the time in Unix milliseconds; `Date.now`, if left out. */
  clock?: () => number;
}

/** Gives the token of an outside identity provider, which is exchanged for Google's. */
export type SubjectTokenSupplier = (request: SubjectTokenRequest) => string | Promise<string>;

/** What a {@link SubjectTokenSupplier} is asked for. */
export interface SubjectTokenRequest {
  /** The provider in the workload identity pool that will check the token. */
  readonly audience: string;
  /** The type of token that is expected, as the credentials name it (RFC 8693, section 3). */
  readonly tokenType: string;
  /** Aborted when the time for it is up. A caller that leaves does not abort it: others may wait for the same token. */
  readonly signal: AbortSignal;
}

/** For calls that may wait for the network. */
export interface WaitOptions {
  /** Ends this caller's waiting; its reason is thrown. Others who wait for the same token are not affected. */
  signal?: AbortSignal;
}

/**
 * Attaches a token to every request; {@link GatePass} makes these. It never sends one on to another origin, nor over plain
 * `http` but to this machine. A request that is answered 401 is repeated once with a newer token, where there is one.
 *
 * @throws {GatepassError} `INVALID_OPTION` or `INVALID_AUDIENCE` for a URL that gets no token
 */
export interface AuthClient {
  /**
   * The headers that carry the token, for a client of your own. Ask for every request: that is how it stays fresh.
   *
   * @param url the request's URL; needed when the client was made without an audience
   */
  getRequestHeaders(url?: string | URL): Promise<Headers>;

  /**
   * The same as a plain object, which every HTTP client takes, those of `node:http` included, and which is several times
   * faster to make.
   */
  getPlainHeaders(url?: string | URL): Promise<Record<string, string>>;

  /**
   * Has the token of a request replaced before its time, for a client of your own whose request was answered 401
   * (UNAUTHENTICATED in gRPC): if it gives true, ask for the headers again, and repeat the request once.
   *
   * @param headers as {@link getPlainHeaders} gave them for this URL
   * @returns whether there is, or will be, another token: at most one is asked for each minute
   */
  invalidate(headers: Readonly<Record<string, string>>, url?: string | URL): boolean;

  /** The global `fetch`, with the token in `Authorization`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;

  /**
   * Makes a request in the shape of google-auth-library.
   *
   * @throws {ResponseError} the receiver's status is not one that `validateStatus` accepts
   */
  request<T = any>(options: RequestOptions): Promise<RequestResult<T>>;
}

/** What {@link AuthClient.request} takes: what `fetch` does, and the following. An unknown option is an error. */
export interface RequestOptions extends RequestInit {
  url: string | URL;
  /** The URL to which `url` is relative. */
  baseURL?: string | URL;
  /** The most milliseconds that an attempt may take, the token included. */
  timeout?: number;
  /** Attempt the request again after a failure that may pass, as google-auth-library does. */
  retry?: boolean;
  /** How; it switches `retry` on. */
  retryConfig?: RetryConfig;
  /** Products for the header `User-Agent`. */
  userAgentDirectives?: readonly { product: string; version?: string; comment?: string }[];
  /** Added to the URL's query. */
  params?: Record<string, string> | URLSearchParams;
  /** The body: a plain object or an array goes as JSON, anything else as `body` would. */
  data?: unknown;
  /** How `data` of the result is read; left out, JSON where the response says so, else text. */
  responseType?: 'json' | 'text' | 'arraybuffer' | 'blob' | 'stream';
  /** Which statuses are fine; left out, 200 to 299. */
  validateStatus?: (status: number) => boolean;
}

/** How {@link AuthClient.request} attempts a request again; the values are google-auth-library's where left out. */
export interface RetryConfig {
  /** The most further attempts after a status that may pass; 3. */
  retry?: number;
  /** The most further attempts after no response; 2. */
  noResponseRetries?: number;
  /** Milliseconds before the first further attempt; 100. */
  retryDelay?: number;
  /** By what the delay grows; 2. */
  retryDelayMultiplier?: number;
  /** GET, HEAD, PUT, OPTIONS, DELETE. */
  httpMethodsToRetry?: readonly string[];
  /** Ranges of statuses: 1xx, 408, 429, 5xx. */
  statusCodesToRetry?: readonly (readonly [from: number, to: number])[];
}

/** What {@link AuthClient.request} gives. */
export interface RequestResult<T = any> {
  status: number;
  statusText: string;
  headers: Headers;
  data: T;
}

/** Checks received tokens: one policy, one set of keys. Make one and keep it: it holds the keys. */
export class Verifier {
  /** @throws {GatepassError} `INVALID_OPTION` */
  constructor(options: VerifierOptions);

  /**
   * Verifies a token and gives its claims.
   *
   * @throws {VerifyError} why the token is refused
   */
  verify(token: string, options?: WaitOptions): Promise<IdTokenClaims>;

  /**
   * Verifies the token of a request: from `X-Serverless-Authorization`, else `Authorization`; behind IAP from
   * `X-Goog-IAP-JWT-Assertion`.
   *
   * A header of which a request has several is refused: give all values.
   *
   * @param headers the request's: of the Fetch API, of Node's `http` (`headersDistinct` or `rawHeaders` has all values),
   *   or of an event; names in any case, with one value or a list
   * @throws {VerifyError} why the token is refused; its `refusal` says how to answer
   */
  verifyHeaders(headers: RequestHeaders, options?: WaitOptions): Promise<IdTokenClaims>;

  /**
   * As the function {@link explain}, to this verifier and with the keys that it holds.
   *
   * @throws {GatepassError} `INVALID_OPTION`
   */
  explain(token: string, options?: TokenPlace): Explanation;
}

/** The headers of a request, in whatever form they come. */
export type RequestHeaders =
  | Headers
  | Iterable<readonly [name: string, value: string | readonly string[]]>
  | readonly string[]
  | { readonly [name: string]: string | readonly string[] | undefined };

/** Whom a {@link Verifier} accepts. */
export interface VerifierOptions {
  /** This service's own audience, or several; needed, unless `anyAudience` is set. */
  audience?: string | readonly string[];
  /** Accept a token for anybody. Only for a service that checks `aud` itself. */
  anyAudience?: boolean;
  /**
   * A sender that gatepass knows: gives issuers, algorithms and keys. Left out, `google`, or, where `issuers` are given
   * without keys, `oidc`.
   */
  preset?: Preset;
  /** Values of `iss`, exactly. The preset `oidc` takes one: the URL below which its discovery document is. */
  issuers?: string | readonly string[];
  /** Algorithms that the issuer signs with; the preset's, if left out. */
  algorithms?: Algorithm | readonly Algorithm[];
  /** The issuer's keys: a JWK set, one JWK or a map of PEM certificates, parsed or as text. */
  keys?: object | string;
  /** The `https` URL of the issuer's keys. Not together with `keys`. */
  keysUrl?: string;
  /** Seconds that clocks may be apart; 30, if left out. */
  leewaySeconds?: number;
  /**
   * The callers that are accepted, by e-mail, exactly as in the token, and verified by the issuer. Presets of senders
   * (`cloud_run`, `pubsub`, `cloud_tasks`, `cloud_scheduler`, `eventarc`) want this, `allowedSubjects` or `anyCaller`;
   * the others accept any caller if it is left out.
   */
  allowedEmails?: string | readonly string[];
  /**
   * The callers that are accepted, by `sub`, exactly: an e-mail may be given to somebody else, a unique id never.
   * Where `allowedEmails` is given too, a caller must be on both lists.
   */
  allowedSubjects?: string | readonly string[];
  /** Accept any caller: Google gives anybody a token for any audience. Not together with the lists. */
  anyCaller?: boolean;
  /**
   * Accept a token whose signature Cloud Run has removed after a check of its own, without any proof of it: see
   * {@link unverified}. Only on Cloud Run, and only for a service that requires authentication: to any other, anybody can
   * send such a token.
   */
  trustCloudRunAndSkipSignature?: boolean;
  /** The most bytes that remembered tokens may take, with their claims and, on WebAssembly, their texts; 16 MiB, if left out. */
  rememberedBytes?: number;
  /** Gives the time in Unix milliseconds; `Date.now`, if left out. */
  clock?: () => number;
}

/**
 * Who sends: `google` any of Google's ID tokens, `cloud_run` service-to-service calls to Cloud Run and Cloud Functions,
 * `iap` Identity-Aware Proxy, `firebase` users of Firebase Authentication or Identity Platform (the audience is the
 * project's id), `oidc` any OpenID Connect issuer by its discovery document; the others push messages, tasks, jobs and
 * events.
 */
export type Preset =
  | 'google'
  | 'cloud_run'
  | 'pubsub'
  | 'cloud_tasks'
  | 'cloud_scheduler'
  | 'eventarc'
  | 'iap'
  | 'firebase'
  | 'oidc';

/** Signature algorithms (RFC 7518, section 3.1; RFC 8037, section 3.1). */
export type Algorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';

/** Where a token was seen. */
export interface TokenPlace {
  /** The URL that was called. */
  url?: string | URL;
  /** The name of the header that carried it. */
  header?: string;
}

/** What {@link explain} takes. */
export interface ExplainOptions extends VerifierOptions, TokenPlace {}

/** What there is to say about a token. Printed, it is its `text`; it never shows the token. */
export interface Explanation {
  /** Whether it is accepted as it is; null where something that decides it is not known, such as the keys. */
  readonly accepted: boolean | null;
  /** What it is, such as `google_id_token`. */
  readonly kind: string;
  /** What it claims, believed or not; times are Unix seconds. */
  readonly claims: {
    readonly iss: string | null;
    readonly aud: readonly string[];
    readonly email: string | null;
    readonly iat: number | null;
    readonly exp: number | null;
  };
  /** The gravest first. */
  readonly findings: readonly Finding[];
  /** All of it, for people. */
  readonly text: string;
  /** The `text`. */
  toString(): string;
}

/** One thing that was found. */
export interface Finding {
  /** `error`: the token is refused for it. `warning`: another receiver may refuse it for it. */
  readonly level: 'error' | 'warning' | 'note';
  /** The refusal that it leads to, if it leads to one by itself. */
  readonly code: ErrorCode | null;
  /** What caused it, where that is known: a stable name in snake_case. */
  readonly cause: string | null;
  /** What it means. */
  readonly title: string;
  /** What was found, and what was expected. */
  readonly found: string;
  /** What to change. */
  readonly todo: string;
}

/** What {@link verifyIdToken} takes. */
export interface VerifyIdTokenOptions extends WaitOptions {
  /** This service's own audience, or several. */
  audience: string | readonly string[];
}

/**
 * The claims of a verified ID token (OpenID Connect Core 1.0, section 2); times are Unix seconds.
 *
 * The object is frozen, for it may be given to everybody who sends the same token: copy it to change it.
 */
export interface IdTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf?: number;
  readonly azp?: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly hd?: string;
  /** Whether nothing proves the claims; see {@link unverified}. */
  readonly [unverified]?: true;
  readonly [claim: string]: unknown;
}

/** Any error of gatepass; itself for a mistake in how gatepass is called. Its message never holds a token or a key. */
export class GatepassError extends Error {
  protected constructor();
  /** What went wrong: stable, the same in all languages. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean;
  /** The claim or header parameter of the token that the error is about, if it is about one. */
  readonly claim: string | null;
  /** How the token fails, where it is about one. */
  readonly reason: 'missing' | 'mismatch' | 'invalid' | 'not_allowed' | null;
  /** What was found in the token, if that can be said in words; never a secret. */
  readonly found: string | readonly string[] | null;
  /** What was expected in its place. */
  readonly expected: string | readonly string[] | null;
  /** The e-mail that a refused token claims, whoever has made it; not shown when the error is printed. */
  readonly claimedEmail: string | null;
  /** How a receiving service answers its caller; not shown when the error is printed. */
  readonly refusal: Refusal | null;
  /** How a gRPC server answers its caller; `gatepass/grpc` does. */
  readonly grpcStatus: GrpcStatus | null;
  /**
   * The number of the gRPC status with which a client's call ends whose token cannot be had because of this error:
   * `UNAVAILABLE`, which clients repeat, if the same call may succeed later, else `UNAUTHENTICATED`; `gatepass/grpc` does
   * so.
   */
  readonly grpcCallCode: number | null;
}

/** The credentials cannot be found, read or used. */
export class CredentialsError extends GatepassError {}

/** An endpoint cannot be reached, or answers nothing useful. */
export class TransportError extends GatepassError {}

/** A received token is refused. */
export class VerifyError extends GatepassError {}

/** An answer to a request that is refused. */
export interface Refusal {
  status: number;
  headers: [name: string, value: string][];
  body: string;
}

/** The answer of a gRPC server to a call that is refused. */
export interface GrpcStatus {
  /** The number of the status code. */
  code: number;
  message: string;
  /** A serialized `google.rpc.Status`: the value of the trailer `grpc-status-details-bin`. */
  details: Uint8Array;
}

/** The receiver answered with a status that `validateStatus` does not accept. */
export class ResponseError extends Error {
  protected constructor();
  readonly status: number;
  readonly response: RequestResult;
}

/** Every code of a {@link GatepassError}. */
export type ErrorCode =
  // GatepassError
  | 'API_MISUSE'
  | 'INVALID_OPTION'
  | 'INVALID_AUDIENCE'
  | 'UNSUPPORTED'
  | 'INTERNAL'
  // CredentialsError
  | 'CREDENTIALS_NOT_FOUND'
  | 'CREDENTIALS_FILE_UNREADABLE'
  | 'CREDENTIALS_FILE_INVALID'
  | 'CREDENTIALS_TYPE_UNKNOWN'
  | 'ENDPOINT_NOT_ALLOWED'
  | 'TOKEN_REFUSED'
  | 'TOKEN_RESPONSE_INVALID'
  | 'ID_TOKEN_UNSUPPORTED'
  | 'EXECUTABLE_NOT_ALLOWED'
  | 'SUBJECT_TOKEN_FAILED'
  | 'SELF_SIGNED_JWT_UNSUPPORTED'
  | 'SUBJECT_UNSUPPORTED'
  | 'CREDENTIALS_TYPE_UNEXPECTED'
  | 'CLIENT_CERTIFICATE_UNUSABLE'
  // TransportError
  | 'CONNECTION_FAILED'
  | 'TIMEOUT'
  | 'ENDPOINT_UNAVAILABLE'
  | 'RESPONSE_TOO_LARGE'
  | 'REDIRECT_REFUSED'
  // VerifyError
  | 'TOKEN_MISSING'
  | 'TOKEN_MALFORMED'
  | 'TOKEN_TOO_LARGE'
  | 'ALG_NOT_ALLOWED'
  | 'TYP_MISMATCH'
  | 'CRIT_UNSUPPORTED'
  | 'UNKNOWN_KEY'
  | 'KEY_UNUSABLE'
  | 'BAD_SIGNATURE'
  | 'SIGNATURE_STRIPPED'
  | 'MISSING_CLAIM'
  | 'BAD_CLAIM_TYPE'
  | 'BAD_CLAIM'
  | 'BAD_ISSUER'
  | 'BAD_AUDIENCE'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_NOT_YET_VALID'
  | 'TOKEN_ISSUED_IN_FUTURE'
  | 'EMAIL_NOT_ALLOWED'
  | 'EMAIL_NOT_VERIFIED'
  | 'KEYS_UNAVAILABLE'
  | 'SUBJECT_NOT_ALLOWED'
  | 'DISCOVERY_INVALID';
