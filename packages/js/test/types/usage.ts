/** What the type declarations must allow and what they must refuse; `npm run typecheck` compiles it, nothing runs it. */

import { type CallCredentials, type ServerUnaryCall, Client, Server, credentials } from '@grpc/grpc-js';
import express from 'express';
import fastify from 'fastify';
import {
  type AuthClient,
  type ErrorCode,
  type Explanation,
  type IdTokenClaims,
  type RequestResult,
  type SubjectTokenSupplier,
  CredentialsError,
  GatePass,
  GatepassError,
  ResponseError,
  TransportError,
  Verifier,
  VerifyError,
  audienceForUrl,
  explain,
  fetchAccessToken,
  fetchIdToken,
  ownAudiences,
  sameAudienceSpellings,
  unverified,
  verifyIdToken,
  version,
} from 'gatepass';
import { claimsOf, requireIdToken } from 'gatepass/express';
import gatepassPlugin, { claimsOf as claimsOfRequest, requireIdToken as plugin } from 'gatepass/fastify';
import {
  accessTokenCredentials,
  claimsOf as claimsOfCall,
  idTokenCredentials,
  insecureIdTokenInterceptor,
  repeatUnauthenticated,
  requireIdToken as grpcInterceptor,
} from 'gatepass/grpc';
import { Emulator } from 'gatepass/testing';

const audience = 'https://receiver.example';
const { signal } = new AbortController();

export async function fetching(): Promise<string[]> {
  new GatePass();
  new GatePass({ keyFilename: '/key.json', trustedEndpoints: ['127.0.0.1:8085'], clock: () => 0 });
  const own: SubjectTokenSupplier = async ({ audience, tokenType, signal }) =>
    await (await fetch(`${audience}?${tokenType}`, { signal })).text();
  new GatePass({ suppliers: { own, plain: () => 'token' } });
  const gatepass = new GatePass({ credentials: { type: 'service_account' } });
  return [
    version,
    audienceForUrl(new URL(audience)),
    await fetchIdToken(audience),
    await fetchIdToken(audience, { signal }),
    await fetchAccessToken(['a', 'b'], { signal }),
    await gatepass.fetchIdToken(audience, { signal }),
    await gatepass.fetchAccessToken(),
    await gatepass.fetchSelfSignedJwt(audience, { signal }),
  ];
}

export async function attaching(): Promise<void> {
  const client: AuthClient = await new GatePass().getIdTokenClient(audience);
  await new GatePass().getIdTokenClient();
  await new GatePass().getAccessTokenClient('scope');
  const headers: Headers = await client.getRequestHeaders(audience);
  const plain: Record<string, string> = await client.getPlainHeaders(audience);
  const response: Response = await client.fetch(new Request(audience, { headers }), { signal });
  const result: RequestResult<{ email: string }> = await client.request({
    url: response.url,
    method: 'POST',
    params: { a: '1' },
    data: { a: [1] },
    responseType: 'json',
    signal,
    validateStatus: (status) => status < 500,
    baseURL: audience,
    timeout: 1000,
    retryConfig: { retry: 1 },
    userAgentDirectives: [{ product: 'orders', version: '1' }],
  });
  await new GatePass().getIdTokenClient(audience, { tokenHeader: 'both', allowPlainHttp: false });
  const { token, expiresAt } = await new GatePass().fetchIdTokenInfo(audience);
  console.log(expiresAt.getTime(), new GatePass().invalidate(token));
  const email: string = result.data.email;
  console.log(email, plain, result.status, result.headers.get('date'));
  const untyped = await client.request({ url: audience });
  console.log(untyped.data.anything);
}

export async function verifying(token: string): Promise<IdTokenClaims> {
  const verifier = new Verifier({
    audience: [audience],
    keysUrl: 'https://keys.example',
    allowedEmails: 'a@b.example',
  });
  await verifier.verifyHeaders(new Headers());
  await verifier.verifyHeaders(new Map([['authorization', `Bearer ${token}`]]));
  await verifier.verifyHeaders(['authorization', `Bearer ${token}`]);
  await verifier.verifyHeaders({ authorization: `Bearer ${token}`, 'set-cookie': ['a'] }, { signal });
  const claims = await verifyIdToken(token, { audience, signal });
  const email: string | undefined = claims.email;
  const other: unknown = claims['https://claim.example'];
  const isUnverified: true | undefined = claims[unverified];
  console.log(email, other, isUnverified);
  new Verifier({ preset: 'oidc', issuers: audience, audience, algorithms: ['ES256', 'EdDSA'] });
  new Verifier({ preset: 'pubsub', audience: sameAudienceSpellings(audience), allowedSubjects: ['1', '2'] });
  new Verifier({ preset: 'cloud_run', audience: await ownAudiences({ signal }), anyCaller: true });
  return await verifier.verify(token);
}

export function explained(token: string): string[] {
  const { findings, claims }: Explanation = explain(token, {
    url: new URL(audience),
    header: 'Authorization',
  });
  console.log(`${new Verifier({ audience }).explain(token, { url: audience })}`, claims.aud.length);
  return findings.map(({ level, code, title, todo }) => [level, code, title, todo].join());
}

export function explaining(error: unknown): ErrorCode | number | undefined {
  if (error instanceof VerifyError || error instanceof CredentialsError || error instanceof TransportError) {
    const parent: GatepassError = error;
    return parent.code;
  }
  if (error instanceof GatepassError && error.code === 'INVALID_AUDIENCE') return error.refusal?.status;
  return error instanceof ResponseError ? error.response.status : undefined;
}

export async function testing(): Promise<void> {
  const emulator: Emulator = await Emulator.start({ arguments: ['--lifetime', '60'] });
  const restore: () => void = emulator.useEnvironment();
  const token: string = await emulator.mint({ audience, email: 'a@b.example', omit: ['sub'], issuedAt: 0 });
  await new Verifier({ audience, keysUrl: emulator.keysUrl }).verify(token);
  await emulator.fault({ path: '/token', status: 503, times: 2 });
  restore();
  await emulator.stop();
}

const app = express();
app.use(requireIdToken({ audience, onRefusal: (error, req) => console.log(error.code, req.url) }));
app.get('/', (req, res) => {
  res.json({ email: claimsOf(req).email });
});

const service = fastify();
await service.register(plugin, { audience, onRefusal: (error, request) => request.log.info(error.code) });
await service.register(gatepassPlugin, { audience, preset: 'pubsub', allowedEmails: 'a@b.example' });
service.get('/', async (request) => claimsOfRequest(request).email);

// @ts-expect-error: the plugin wants options
await service.register(plugin, { audiance: audience });
// @ts-expect-error: an option that is misspelt
new Verifier({ audiance: audience });
// @ts-expect-error: options are needed
new Verifier();
// @ts-expect-error: an audience is needed
void verifyIdToken('token', {});
// @ts-expect-error: an audience is needed
void fetchIdToken();
// @ts-expect-error: an option of another client
void (await new GatePass().getIdTokenClient()).request({ url: audience, adapter: 1 });
// @ts-expect-error: a header that carries no token
void new GatePass().getIdTokenClient(audience, { tokenHeader: 'cookie' });
// @ts-expect-error: a supplier gives text
new GatePass({ suppliers: { own: () => 42 } });
// @ts-expect-error: a preset that is misspelt
new Verifier({ audience, preset: 'pub_sub' });
// @ts-expect-error: an algorithm that is never right
new Verifier({ audience, issuers: audience, algorithms: 'HS256' });
// @ts-expect-error: claims are shared
(await verifyIdToken('token', { audience })).email = 'a@b.example';
// @ts-expect-error: gatepass makes its errors itself
new VerifyError();
// @ts-expect-error: no such code
'TOKEN_EXPIERD' satisfies ErrorCode;

export function grpc(call: ServerUnaryCall<unknown, unknown>): (string | undefined)[] {
  const gatepass = GatePass.applicationDefault();
  const tls = credentials.createSsl();
  new Client('a:443', idTokenCredentials(tls));
  new Client('a:443', idTokenCredentials(tls, { audience, gatepass, tokenHeader: 'both' }), {
    interceptors: [repeatUnauthenticated],
  });
  new Client('a:443', accessTokenCredentials(tls, { scopes: ['a'], gatepass }));
  new Client('localhost:1', credentials.createInsecure(), {
    interceptors: [insecureIdTokenInterceptor({ allowPlaintextLoopback: true })],
  });
  // @ts-expect-error: these are channel credentials, not those of a single call
  const ofACall: CallCredentials = idTokenCredentials(tls);
  // @ts-expect-error: an option that there is not
  idTokenCredentials(tls, { audiance: audience });
  new Server({
    interceptors: [
      grpcInterceptor({ audience, optional: true, openServices: ['grpc.health.v1.Health'] }),
      grpcInterceptor({
        audience,
        onRefusal: ({ grpcStatus }, { path, metadata }) => console.log(grpcStatus?.code, path, metadata),
      }),
    ],
  });
  return [claimsOfCall(call).email];
}

export async function ofOnesOwn(): Promise<boolean> {
  const url = `${audience}/shop.Orders`;
  const client = await new GatePass().getIdTokenClient(undefined, { grpc: { isEncrypted: true } });
  return client.invalidate(await client.getPlainHeaders(url), url);
}
