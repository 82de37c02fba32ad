/*
 * gatepass: fetches, attaches and verifies the identity tokens of services.
 * Made by cbindgen from bindings/c/src; a test compares them. Do not edit.
 *
 * The library does no I/O, reads no clock and starts no thread. Where it needs something from the outside world, it
 * gives an operation (gp_op), which the caller drives: resume it with {"reply":"start"}, carry out the step that
 * comes back, resume it with the reply, and so on until the step is "done" or "fail". Steps and replies are JSON;
 * their forms, and the duties of who carries them out, are described in bindings/bridge/src/op.rs and core/src/step.rs. They
 * hold secrets: log neither. All times are the caller's to supply, in milliseconds: now_ms is Unix
 * time, monotonic_ms the reading of a clock that is never set and may start anywhere. An age or a pause is over as soon
 * as either of them says so.
 *
 * Results. A function that can fail returns GP_OK or the number of an error code, and takes a gp_buf *error as its
 * last argument: null, or the place for the error as a JSON object with "code", "number", "kind", "message",
 * "retryable", "claim", "reason" ("missing", "mismatch", "invalid", "not_allowed" or null), "found" and "expected" (null,
 * a text or an array of texts), "claimed_email" (of a refused token, unverified, or null), and "refusal" (the status, headers and body with which a receiving service answers).
 * Every place for a result is written in any case, so its old content does not matter and nothing needs freeing
 * before; after a failure it holds nothing. A null pointer where none is allowed, a null gp_slice with a length, and text
 * that is not UTF-8 give API_MISUSE. No panic leaves the library.
 *
 * Ownership. A gp_slice is lent for the length of the call. A gp_buf, and a handle (gp_source, gp_keys, gp_verifier, gp_op),
 * belongs to the caller, who frees it once with the function of its name and does not use it afterwards. Handles of
 * operations stay good when their source or verifier is freed.
 *
 * Flights. Callers who need the same token or the same keys share one operation: the first is given the gp_op, and the
 * others the number of its flight, to wait for. Flights of a source, and of a cache of keys, are counted from 1; 0 is
 * none. Verifiers that were opened with the same gp_keys share their flights.
 *
 * Threads. gp_source, gp_keys and gp_verifier may be used by any number of threads at once; nothing here waits for anything
 * but the other threads' short turns. A gp_op may be used by any thread, but by one at a time. To free a handle no
 * other thread may use it.
 *
 * A process that forks: the child makes handles of its own, since the operations of its parent's end there.
 */

#ifndef GATEPASS_H
#define GATEPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a lookup or a check has found. Numbers are never reused.
typedef enum {
  // The call has failed.
  GP_NOTHING = 0,
  // Use the token; the same header may be used until `fresh_until_ms` or `fresh_until_monotonic_ms`.
  GP_FRESH = 1,
  // Use the token; drive `op`, if it is not null, in the background.
  GP_STALE = 2,
  // Drive `op`; its last step holds the token.
  GP_FETCH = 3,
  // Wait until the operation of this `flight` has ended, then ask again.
  GP_JOIN = 4,
  // The token is verified; drive `op`, if it is not null, in the background.
  GP_ACCEPTED = 5,
  // Drive `op`, then check again.
  GP_NEEDS_KEYS = 6,
} gp_answer;

// The keys of issuers, for all verifiers that are opened with it: those with the same key URL share what was fetched and
// who fetches it. One for each process. Usable from any number of threads at once, and freed at any time: verifiers
// keep what they need of it.
typedef struct gp_keys gp_keys;

// An operation under way. Usable from any thread, by one at a time. It may outlive the source or verifier that it
// comes from.
typedef struct gp_op gp_op;

// Tokens of one principal, cached. Usable from any number of threads at once.
typedef struct gp_source gp_source;

// Checks received tokens. Usable from any number of threads at once.
typedef struct gp_verifier gp_verifier;

// Bytes that are lent for the length of a call. The pointer may be null when `len` is 0.
typedef struct {
  // The first byte.
  const uint8_t *data;
  // How many there are.
  size_t len;
} gp_slice;

// `GP_OK`, or the number of an error code: see `gp_error_codes`. Numbers are never reused.
typedef int32_t gp_status;

// Bytes that the caller owns, to be given back to `gp_buf_free`. The pointer is null when there are none.
typedef struct {
  // The first byte.
  uint8_t *data;
  // How many there are.
  size_t len;
} gp_buf;

// The answer of `gp_source_lookup`. The caller owns `op` and `header`.
typedef struct {
  // `GP_FRESH`, `GP_STALE`, `GP_FETCH` or `GP_JOIN`.
  gp_answer answer;
  // The flight of `op`, or the one to wait for, counted from 1. 0: none, nobody else waits for `op`.
  uint64_t flight;
  // The operation to drive; null when there is none.
  gp_op *op;
  // The value of the Authorization header, when `GP_FRESH` or `GP_STALE`.
  gp_buf header;
  // When the token ends.
  uint64_t expires_at_ms;
  // Until when the header may be used again without a lookup: until either of these two has come.
  uint64_t fresh_until_ms;
  // The same by the monotonic clock.
  uint64_t fresh_until_monotonic_ms;
} gp_lookup;

// The answer of `gp_verifier_check`. The caller owns `op` and `payload`.
typedef struct {
  // `GP_ACCEPTED`, `GP_NEEDS_KEYS` or `GP_JOIN`.
  gp_answer answer;
  // The flight of `op`, or the one to wait for, counted from 1. 0: none, nobody else waits for `op`.
  uint64_t flight;
  // The operation to drive; null when there is none.
  gp_op *op;
  // The token's payload when `GP_ACCEPTED`: one JSON object, as it was signed.
  gp_buf payload;
  // A number that names this token and no other as long as the verifier lives, by which to keep what was made of the
  // payload; 0 when the token is not remembered.
  uint64_t entry;
  // The token's `exp`.
  uint64_t expires_at_ms;
  // Whether nothing proves the payload: Cloud Run has removed the signature, and the verifier's options say to take
  // its word. Whoever reads the payload must see it.
  bool is_unverified;
} gp_verdict;

// The call has succeeded.
#define GP_OK 0

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of gatepass, such as "0.1.0". Valid for ever.
const char *gp_version(void);

// Every error code, as a JSON array of objects with "code", "number", "kind", "http_status", "retryable" and
// "advice". Valid for ever.
gp_slice gp_error_codes(void);

// The bounds that hosts keep to, as a JSON object: "places" for remembered tokens, "body_bytes" of a response or a file,
// "stderr_bytes" of a program, "held_tokens" that a host keeps by its own means, and how often it "looks" at most until
// an answer is final. Valid for ever.
gp_slice gp_limits(void);

// The names of the headers that may carry a token, as a JSON array: in lower case, and in the order of the arguments of
// `gp_verifier_token_from_headers`. Valid for ever.
gp_slice gp_token_headers(void);

// What a service writes to its log about a request of this path that it has refused: the JSON object {"level":"warning"|
// "error","message":…}. `refusal` is the error as this library gave it; of it "code", "message" and "claimed_email"
// count. The caller owns `line`. Fails with API_MISUSE only.
gp_status gp_refusal_log(gp_slice refusal,
                         gp_slice path,
                         gp_buf *line,
                         gp_buf *error);

// Makes a source from its options: {"seed":…, "credentials_file":…|"credentials_json":…, "impersonate":…,
// "delegates":[…], "subject":…, "self_signed_access_tokens":…, "gdch_audience":…, "allow_user_id_token":…,
// "expect_type":…, "quota_project_id":…, "universe_domain":…, "trusted_endpoints":[…]}. The seed is any number below
// 2^53, different in each process; without credentials they are looked for as Application Default Credentials say,
// when the first token is fetched. Fails with INVALID_OPTION.
gp_status gp_source_new(gp_slice options,
                        gp_source **source,
                        gp_buf *error);

// The token of `kind` for `target`: an "id_token" or a "self_signed_jwt" for an audience, an "access_token" for
// scopes separated by spaces.
// Fails with INVALID_AUDIENCE or INVALID_OPTION. Never waits.
gp_status gp_source_lookup(const gp_source *source,
                           gp_slice kind,
                           gp_slice target,
                           uint64_t now_ms,
                           uint64_t monotonic_ms,
                           gp_lookup *lookup,
                           gp_buf *error);

// Whether a request that was answered with this HTTP status is worth repeating once, after a new lookup: `retry`.
// After a 401 the token is replaced before its time, at most once a minute. `header` is the value that the request was
// sent with.
// Fails with INVALID_AUDIENCE or INVALID_OPTION. Never waits.
gp_status gp_source_retry_after_refusal(const gp_source *source,
                                        gp_slice kind,
                                        gp_slice target,
                                        gp_slice header,
                                        uint16_t status,
                                        uint64_t now_ms,
                                        uint64_t monotonic_ms,
                                        bool *retry,
                                        gp_buf *error);

// Replaces the token of this header value before its time, at most once a minute, for those who write their own
// client. `changed`: whether a lookup now gives another token than that.
// Fails with INVALID_AUDIENCE or INVALID_OPTION. Never waits.
gp_status gp_source_invalidate(const gp_source *source,
                               gp_slice kind,
                               gp_slice target,
                               gp_slice header,
                               uint64_t now_ms,
                               uint64_t monotonic_ms,
                               bool *changed,
                               gp_buf *error);

// Says who the credentials are: drive `op`. Its last step is {"step":"done","output":{"email":…|null,
// "project_id":…|null}}. The caller owns `op`.
gp_status gp_source_principal(const gp_source *source, gp_op **op, gp_buf *error);

// Signs any bytes as the credentials' service account (RSASSA-PKCS1-v1_5 with SHA-256): drive `op`. Its last step is
// {"step":"done","output":{"key_id":…|null,"signature":…}}, the signature in base64; it fails with
// SELF_SIGNED_JWT_UNSUPPORTED where the credentials are no service account's. The caller owns `op`.
gp_status gp_source_sign_bytes(const gp_source *source,
                               gp_slice bytes,
                               gp_op **op,
                               gp_buf *error);

// The headers that go with an access token on a call of Google's APIs, besides Authorization: a JSON array of pairs
// of name and value. They are known once a token was fetched. The caller owns `headers`.
gp_status gp_source_access_token_headers(const gp_source *source,
                                         gp_buf *headers,
                                         gp_buf *error);

// Frees a source. Null is allowed.
void gp_source_free(gp_source *source);

// Makes an empty cache of keys. Never fails, but for a null pointer.
gp_status gp_keys_new(gp_keys **keys, gp_buf *error);

// Frees a cache of keys. Null is allowed.
void gp_keys_free(gp_keys *keys);

// The operation that makes a verifier from its options: {"preset":"google"|"cloud_run"|"pubsub"|"cloud_tasks"|
// "cloud_scheduler"|"eventarc"|"iap"|"firebase"|"oidc", "issuers":[…], "algorithms":[…], "audiences":[…],
// "any_audience":…, "keys":"…"|"keys_url":…, "leeway_seconds":…, "allowed_emails":[…], "allowed_subjects":[…],
// "any_caller":…, "trust_cloud_run_and_skip_signature":…, "remembered_bytes":…, "host_cost":{"token":…,"member":…,
// "byte":…}}. Its only step is "read_env"; its last {"step":"done","output":{"warnings":[…]}}, lines for the log at the
// level of warnings, and then `gp_op_verifier` gives the verifier. It fails with INVALID_OPTION, which names what is
// missing. The host's cost is what it spends on a remembered token, on each member of its claims, nested ones
// included, and on each byte of its payload, estimated from above. The caller owns `op`.
gp_status gp_verifier_open(gp_slice options,
                           const gp_keys *keys,
                           gp_op **op,
                           gp_buf *error);

// The verifier that the operation of `gp_verifier_open` has made, once its last step is "done". It is given once. The
// caller owns `verifier`. Fails with API_MISUSE only.
gp_status gp_op_verifier(gp_op *op,
                         gp_verifier **verifier,
                         gp_buf *error);

// The number of `token`, any bytes, if it is remembered and to be accepted now: the `entry` that `gp_verifier_check`
// gave. 0: it is not, or not so simply, and `gp_verifier_check` tells. Never waits.
//
// Who keeps what it made of payloads by their `entry` asks this first, and builds nothing for a token that it knows.
uint64_t gp_verifier_recall(const gp_verifier *verifier,
                            gp_slice token,
                            uint64_t now_ms,
                            uint64_t monotonic_ms);

// The verdict on `token`, any bytes. Fails with the reason why the token is refused. Never waits.
gp_status gp_verifier_check(const gp_verifier *verifier,
                            gp_slice token,
                            uint64_t now_ms,
                            uint64_t monotonic_ms,
                            gp_verdict *verdict,
                            gp_buf *error);

// The token of a request with these headers, any bytes; a slice with a null pointer means a header that the request
// does not have. Each is given with all its values, and a line feed between each two: which no value can hold. A header
// that occurs more than once is refused. The caller owns `token`. Fails with TOKEN_MISSING or TOKEN_MALFORMED.
gp_status gp_verifier_token_from_headers(const gp_verifier *verifier,
                                         gp_slice authorization,
                                         gp_slice x_serverless_authorization,
                                         gp_slice x_goog_iap_jwt_assertion,
                                         gp_buf *token,
                                         gp_buf *error);

// Explains a token: what it is, and all that is wrong with it. With a verifier, to that one, with the keys that it
// holds; `options` are then {"url":…, "header":…}: the URL that was called and the name of the header that carried the
// token. With null, to the verifier whose options are among these, as far as they are known. All options may be left
// out, and no keys are fetched.
//
// The explanation is JSON, and does not show the token; its members are described in bindings/bridge/src/explain.rs. The caller
// owns it. Fails with INVALID_OPTION or INVALID_AUDIENCE.
gp_status gp_explain(const gp_verifier *verifier,
                     gp_slice options,
                     gp_slice token,
                     uint64_t now_ms,
                     gp_buf *explanation,
                     gp_buf *error);

// Frees a verifier. Null is allowed.
void gp_verifier_free(gp_verifier *verifier);

// Takes the reply to the last step, {"reply":"start"} at first, and gives the next step, both JSON. The caller owns
// `step`. A failed operation is a step too; the call itself fails only with API_MISUSE.
gp_status gp_op_resume(gp_op *op,
                       uint64_t now_ms,
                       uint64_t monotonic_ms,
                       gp_slice reply,
                       gp_buf *step,
                       gp_buf *error);

// Ends an operation and gives its flight up, so that another caller can be chosen. Null is allowed.
void gp_op_cancel(gp_op *op);

// Frees an operation; ends it first, as `gp_op_cancel` does. Null is allowed.
void gp_op_free(gp_op *op);

// The audience to ask for when calling `url`, by the rules of Cloud Run. The caller owns `audience`. Fails with
// INVALID_AUDIENCE.
gp_status gp_audience_for_url(gp_slice url,
                              gp_buf *audience,
                              gp_buf *error);

// How a request carries its token: `call` is {"url":…, "kind":"id_token"|"access_token", "audience":…,
// "token_header":"authorization"|"x-serverless-authorization"|"both", "allow_plain_http":…}, all but the URL of which
// may be left out; `plan` is {"audience":…|null, "headers":[…]}. The caller owns `plan`. Ask anew for every redirect
// that is followed with a token.
// Fails with INVALID_OPTION or INVALID_AUDIENCE.
gp_status gp_plan_call(gp_slice call,
                       gp_buf *plan,
                       gp_buf *error);

// Both spellings of a URL that is its own audience, without and with a slash at the end, as a JSON array; anything
// else comes back alone. The caller owns `spellings`.
gp_status gp_same_audience_spellings(gp_slice audience,
                                     gp_buf *spellings,
                                     gp_buf *error);

// The operation that asks for the audiences of the Cloud Run service that this process is. Its last step is
// {"step":"done","output":{"audiences":[…]}}; elsewhere than on Cloud Run it fails with INVALID_AUDIENCE. The caller
// owns `op`.
gp_status gp_own_audiences(gp_op **op,
                           gp_buf *error);

// Overwrites the bytes with zeros and frees them. A buffer with a null pointer is allowed.
void gp_buf_free(gp_buf buf);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GATEPASS_H */
