/*
 * Uses every function of gatepass.h as a C program would, and then as one should not.
 *
 * usage: program GOOD_OPTIONS KEYS_URL_OPTIONS KEYS_REPLY TOKEN NOW_MS
 * GOOD_OPTIONS are a verifier's with keys in them, KEYS_URL_OPTIONS the same with a keys_url; KEYS_REPLY is the reply
 * that answers the request for the keys. The token is good at NOW_MS.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatepass.h"

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

#define API_MISUSE 1
#define INVALID_OPTION 2
#define INVALID_AUDIENCE 3
#define TOKEN_MISSING 300
#define TOKEN_MALFORMED 301
#define BAD_SIGNATURE 308

#define AUDIENCE "https://receiver.example"
/* {"alg":"RS256"}.{"aud":"https://receiver.example","exp":1800003600}."x" */
#define ISSUED                                                                       \
  "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3JlY2VpdmVyLmV4YW1wbGUiLCJleHAiOjE4MDAwMDM2MDB9.eA"
/* {"alg":"RS256","kid":"1"}.{"iss":"https://accounts.google.com","aud":"https://receiver.example","sub":"1",
   "iat":1800000000,"exp":1800003600} */
#define STRIPPED \
  "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20iLCJhdWQiOiJodHRwc" \
  "zovL3JlY2VpdmVyLmV4YW1wbGUiLCJzdWIiOiIxIiwiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDB9.SIGNATURE_RE" \
  "MOVED_BY_GOOGLE"
#define START "{\"reply\":\"start\"}"
#define NOW 1800000000000u

/* What a slice may not be. */
static const gp_slice NULL_WITH_LENGTH = {NULL, 3};
static const uint8_t OCTET = 0xff;
static const gp_slice LONGER_THAN_MEMORY = {&OCTET, SIZE_MAX};
static const gp_slice NOT_UTF8 = {&OCTET, 1};
static const gp_slice ABSENT = {NULL, 0};

/* Filled with rubbish, to see that every place for a result is written. */
static gp_buf rubbish_buf(void) {
  gp_buf buf;
  memset(&buf, 0xa5, sizeof buf);
  return buf;
}

static gp_slice slice(const char *text) {
  gp_slice slice = {(const uint8_t *)text, strlen(text)};
  return slice;
}

static bool holds(const uint8_t *data, size_t len, const char *text) {
  size_t wanted = strlen(text);
  for (size_t at = 0; at + wanted <= len; at++) {
    if (memcmp(data + at, text, wanted) == 0) return true;
  }
  return false;
}

/* Whether the buffer holds the text; frees it. */
static bool take(gp_buf buf, const char *text) {
  bool found = holds(buf.data, buf.len, text);
  if (!found) fprintf(stderr, "expected %s in: %.*s\n", text, (int)buf.len, (const char *)buf.data);
  gp_buf_free(buf);
  return found;
}

static bool is(gp_buf buf, const char *text) {
  return buf.len == strlen(text) && take(buf, text);
}

static bool is_empty(gp_buf buf) { return buf.data == NULL && buf.len == 0; }

/* Whether a call failed with this number, and its error says the same; frees the error. */
static bool failed(gp_status status, gp_status expected, gp_buf error, const char *about) {
  char number[32];
  snprintf(number, sizeof number, "\"number\":%d,", (int)expected);
  if (!holds(error.data, error.len, number)) fprintf(stderr, "status %d, expected %s\n", (int)status, number);
  return status == expected && holds(error.data, error.len, number) && take(error, about);
}

/* Resumes the operation; the step must hold the text. */
static bool resume(gp_op *op, const char *reply, const char *expected) {
  gp_buf step = rubbish_buf(), error = rubbish_buf();
  CHECK(gp_op_resume(op, NOW, NOW, slice(reply), &step, &error) == GP_OK);
  CHECK(is_empty(error));
  return take(step, expected);
}

static gp_source *new_source(void) {
  gp_source *source = NULL;
  gp_buf error = rubbish_buf();
  CHECK(gp_source_new(slice("{\"seed\":7}"), &source, &error) == GP_OK);
  CHECK(source != NULL && is_empty(error));
  return source;
}

/* A verifier in an environment with this one variable. */
static gp_verifier *new_verifier_where(const char *values, const char *options) {
  gp_keys *keys = NULL;
  gp_op *op = NULL;
  gp_verifier *verifier = NULL;
  gp_buf error = rubbish_buf();
  char reply[256];
  CHECK(gp_keys_new(&keys, &error) == GP_OK && keys != NULL && is_empty(error));
  CHECK(gp_verifier_open(slice(options), keys, &op, &error) == GP_OK && op != NULL && is_empty(error));
  CHECK(failed(gp_op_verifier(op, &verifier, &error), API_MISUSE, error, "API_MISUSE") && verifier == NULL);
  CHECK(resume(op, START, "\"read_env\""));
  snprintf(reply, sizeof reply, "{\"reply\":\"env\",\"values\":%s}", values);
  CHECK(resume(op, reply, "{\"output\":{\"warnings\":[]},\"step\":\"done\"}"));
  gp_keys_free(keys);
  CHECK(gp_op_verifier(op, &verifier, &error) == GP_OK && verifier != NULL && is_empty(error));
  gp_verifier *again = verifier;
  CHECK(failed(gp_op_verifier(op, &again, &error), API_MISUSE, error, "API_MISUSE") && again == NULL);
  gp_op_free(op);
  return verifier;
}

static gp_verifier *new_verifier(const char *options) { return new_verifier_where("{}", options); }

static gp_lookup look(const gp_source *source, gp_answer expected) {
  gp_lookup lookup;
  memset(&lookup, 0xa5, sizeof lookup);
  CHECK(gp_source_lookup(source, slice("id_token"), slice(AUDIENCE), NOW, NOW, &lookup, NULL) == GP_OK);
  CHECK(lookup.answer == expected);
  return lookup;
}

static gp_verdict check(const gp_verifier *verifier, const char *token, uint64_t now_ms, gp_answer expected) {
  gp_verdict verdict;
  memset(&verdict, 0xa5, sizeof verdict);
  CHECK(gp_verifier_check(verifier, slice(token), now_ms, now_ms, &verdict, NULL) == GP_OK);
  CHECK(verdict.answer == expected);
  return verdict;
}

static void what_needs_no_handle(void) {
  CHECK(strchr(gp_version(), '.') != NULL);
  gp_slice limits = gp_limits(), headers = gp_token_headers();
  CHECK(holds(limits.data, limits.len, "\"body_bytes\":1048576") && holds(headers.data, headers.len, "[\"authorization\","));
  gp_slice codes = gp_error_codes();
  CHECK(holds(codes.data, codes.len, "\"TOKEN_EXPIRED\"") && gp_error_codes().data == codes.data);

  gp_buf audience = rubbish_buf(), error = rubbish_buf();
  CHECK(gp_audience_for_url(slice("https://tag---svc-abc-uc.a.run.app/x"), &audience, &error) == GP_OK);
  CHECK(is(audience, "https://svc-abc-uc.a.run.app") && is_empty(error));
  gp_status status = gp_audience_for_url(slice("http://example.com"), &audience, &error);
  CHECK(failed(status, INVALID_AUDIENCE, error, "\"INVALID_AUDIENCE\"") && is_empty(audience));

  gp_buf spellings = rubbish_buf();
  CHECK(gp_same_audience_spellings(slice(AUDIENCE "/"), &spellings, &error) == GP_OK);
  CHECK(is(spellings, "[\"" AUDIENCE "\",\"" AUDIENCE "/\"]") && is_empty(error));

  gp_op *op = NULL;
  CHECK(gp_own_audiences(&op, &error) == GP_OK && is_empty(error));
  CHECK(resume(op, START, "\"K_SERVICE\""));
  CHECK(resume(op, "{\"reply\":\"env\",\"values\":{}}", "\"INVALID_AUDIENCE\""));
  gp_op_free(op);
}

/* Once, and not for the asking of somebody who has another one. */
static void a_refused_token_is_replaced(const gp_source *source, gp_buf header) {
  gp_slice kind = slice("id_token"), audience = slice(AUDIENCE), sent = {header.data, header.len};
  bool retry = true, changed = false;
  CHECK(gp_source_retry_after_refusal(source, kind, audience, sent, 403, NOW, NOW, &retry, NULL) == GP_OK && !retry);
  CHECK(gp_source_invalidate(source, kind, audience, slice("Bearer another"), NOW, NOW, &changed, NULL) == GP_OK);
  CHECK(changed);
  gp_buf error = rubbish_buf();
  CHECK(failed(gp_source_retry_after_refusal(source, kind, audience, sent, 401, NOW, NOW, NULL, &error), API_MISUSE,
               error, "argument retry"));
  CHECK(failed(gp_source_invalidate(NULL, kind, audience, sent, NOW, NOW, &changed, &error), API_MISUSE, error,
               "argument source"));
}

static void a_token_is_fetched_once(void) {
  gp_source *source = new_source();
  gp_lookup first = look(source, GP_FETCH);
  CHECK(first.op != NULL && first.flight != 0 && is_empty(first.header));
  gp_lookup second = look(source, GP_JOIN);
  CHECK(second.op == NULL && second.flight == first.flight && is_empty(second.header));

  CHECK(resume(first.op, START, "\"GCE_METADATA_HOST\""));
  CHECK(resume(first.op, "{\"reply\":\"env\",\"values\":{\"GCE_METADATA_HOST\":\"127.0.0.1:1\"}}", "\"send\""));
  CHECK(resume(first.op,
               "{\"reply\":\"response\",\"status\":200,\"headers\":[[\"Metadata-Flavor\",\"Google\"]],"
               "\"body\":\"" ISSUED "\"}",
               "\"header\":\"Bearer " ISSUED "\""));
  CHECK(resume(first.op, START, "API_MISUSE")); /* it has ended */

  gp_lookup third = look(source, GP_FRESH);
  a_refused_token_is_replaced(source, third.header);
  CHECK(third.op == NULL && is(third.header, "Bearer " ISSUED));
  CHECK(third.expires_at_ms == NOW + 3600000 && third.fresh_until_ms > NOW);
  gp_op_free(first.op);
  gp_buf headers = rubbish_buf();
  CHECK(gp_source_access_token_headers(source, &headers, NULL) == GP_OK);
  CHECK(holds(headers.data, headers.len, "[]")); /* nothing was fetched that is billed to a project */
  gp_buf_free(headers);

  gp_source_free(source);
}

static void a_cancelled_fetch_falls_to_the_next(void) {
  gp_source *source = new_source();
  gp_lookup first = look(source, GP_FETCH);
  CHECK(resume(first.op, START, "\"read_env\""));
  gp_op_cancel(first.op);
  gp_lookup second = look(source, GP_FETCH);
  CHECK(second.flight != first.flight);
  CHECK(resume(first.op, START, "cancelled"));
  gp_op_cancel(first.op);
  gp_op_free(first.op);
  gp_op_free(second.op); /* ends it as well */
  gp_lookup third = look(source, GP_FETCH);
  gp_source_free(source); /* operations outlive their source */
  CHECK(resume(third.op, START, "\"read_env\""));
  gp_op_free(third.op);
}

static void tokens_are_verified(const char *options, const char *token, uint64_t now_ms) {
  gp_verifier *verifier = new_verifier(options);
  uint64_t entries[2];
  for (int i = 0; i < 2; i++) {
    gp_verdict verdict = check(verifier, token, now_ms, GP_ACCEPTED);
    CHECK(verdict.op == NULL && verdict.flight == 0 && verdict.expires_at_ms > now_ms && !verdict.is_unverified);
    CHECK(take(verdict.payload, "\"email\""));
    entries[i] = verdict.entry;
  }
  CHECK(entries[0] != 0 && entries[1] == entries[0]);
  CHECK(gp_verifier_recall(verifier, slice(token), now_ms, now_ms) == entries[0]);
  CHECK(gp_verifier_recall(verifier, slice(token), now_ms + 365 * 24 * 3600 * 1000ull, now_ms) == 0); /* it has expired */

  char *tampered = strdup(token);
  tampered[strlen(tampered) - 20] ^= 1;
  CHECK(gp_verifier_recall(verifier, slice(tampered), now_ms, now_ms) == 0);
  CHECK(gp_verifier_recall(verifier, NOT_UTF8, now_ms, now_ms) == 0 && gp_verifier_recall(verifier, ABSENT, now_ms, now_ms) == 0);
  gp_verdict verdict;
  gp_buf error = rubbish_buf();
  gp_status status = gp_verifier_check(verifier, slice(tampered), now_ms, now_ms, &verdict, &error);
  CHECK(failed(status, BAD_SIGNATURE, error, "\"status\":401"));
  CHECK(verdict.answer == GP_NOTHING && verdict.op == NULL && is_empty(verdict.payload));
  status = gp_verifier_check(verifier, NOT_UTF8, now_ms, now_ms, &verdict, &error);
  CHECK(failed(status, TOKEN_MALFORMED, error, "\"status\":401"));
  status = gp_verifier_check(verifier, ABSENT, now_ms, now_ms, &verdict, &error);
  CHECK(failed(status, TOKEN_MALFORMED, error, "\"kind\":\"verify\""));

  gp_buf explanation = rubbish_buf();
  CHECK(gp_explain(verifier, slice("{}"), slice(token), now_ms, &explanation, &error) == GP_OK && is_empty(error));
  CHECK(take(explanation, "\"accepted\":true"));
  CHECK(gp_explain(verifier, slice("{\"header\":\"Cookie\"}"), slice(tampered), now_ms, &explanation, &error) == GP_OK);
  CHECK(take(explanation, "\"BAD_SIGNATURE\""));
  CHECK(gp_explain(NULL, slice(options), slice(token), now_ms, &explanation, &error) == GP_OK);
  CHECK(take(explanation, "\"accepted\":true"));
  CHECK(gp_explain(NULL, slice("{}"), NOT_UTF8, now_ms, &explanation, &error) == GP_OK);
  CHECK(take(explanation, "\"not_a_token\""));
  status = gp_explain(verifier, slice("{\"ulr\":\"\"}"), slice(token), now_ms, &explanation, &error);
  CHECK(failed(status, INVALID_OPTION, error, "ulr") && is_empty(explanation));
  free(tampered);
  gp_verifier_free(verifier);
}

/* Cloud Run checks a token, and removes its signature. */
static void a_verifier_that_trusts_says_so(void) {
  gp_verifier *verifier = new_verifier_where(
      "{\"K_SERVICE\":\"orders\"}",
      "{\"preset\":\"google\",\"audiences\":[\"" AUDIENCE "\"],\"trust_cloud_run_and_skip_signature\":true}");
  gp_verdict verdict = check(verifier, STRIPPED, NOW, GP_ACCEPTED);
  CHECK(verdict.is_unverified && verdict.entry == 0 && take(verdict.payload, "\"sub\""));
  gp_verifier_free(verifier);
}

static void keys_are_fetched_once(const char *options, const char *reply, const char *token, uint64_t now_ms) {
  gp_verifier *verifier = new_verifier(options);
  gp_verdict first = check(verifier, token, now_ms, GP_NEEDS_KEYS);
  CHECK(first.op != NULL && first.flight != 0 && is_empty(first.payload));
  gp_verdict second = check(verifier, token, now_ms, GP_JOIN);
  CHECK(second.op == NULL && second.flight == first.flight);
  CHECK(resume(first.op, START, "\"send\""));
  CHECK(resume(first.op, reply, "{\"output\":null,\"step\":\"done\"}"));
  gp_op_free(first.op);
  gp_verdict third = check(verifier, token, now_ms, GP_ACCEPTED);
  CHECK(third.entry != 0 && take(third.payload, "\"email\""));
  gp_verifier_free(verifier);
}

static void tokens_are_found_in_headers(const char *options) {
  gp_verifier *verifier = new_verifier(options);
  gp_buf token = rubbish_buf(), error = rubbish_buf();
  CHECK(gp_verifier_token_from_headers(verifier, slice("Bearer a"), slice("bearer b"), ABSENT, &token, &error) ==
        GP_OK);
  CHECK(is(token, "b") && is_empty(error));
  gp_status status = gp_verifier_token_from_headers(verifier, ABSENT, ABSENT, slice("a"), &token, &error);
  CHECK(failed(status, TOKEN_MISSING, error, "\"WWW-Authenticate\"") && is_empty(token));
  status = gp_verifier_token_from_headers(verifier, slice("Bearer a, Bearer b"), ABSENT, ABSENT, &token, &error);
  CHECK(failed(status, TOKEN_MALFORMED, error, "\"status\":401"));
  /* Bytes that are not UTF-8 come from strangers: the check refuses what is made of them. */
  CHECK(gp_verifier_token_from_headers(verifier, slice("Bearer \xff"), ABSENT, ABSENT, &token, &error) == GP_OK);
  gp_verdict verdict;
  gp_slice lent = {token.data, token.len};
  status = gp_verifier_check(verifier, lent, NOW, NOW, &verdict, &error);
  CHECK(failed(status, TOKEN_MALFORMED, error, "TOKEN_MALFORMED"));
  gp_buf_free(token);
  gp_verifier_free(verifier);
}

static void misuse_is_an_error(const char *options) {
  gp_source *source = new_source();
  gp_verifier *verifier = new_verifier(options);
  gp_op *op = look(source, GP_FETCH).op;
  gp_slice kind = slice("id_token"), audience = slice(AUDIENCE);
  gp_lookup lookup;
  gp_verdict verdict;
  gp_source *no_source;
  gp_keys *keys = NULL;
  gp_op *no_op;
  gp_buf buf, error;

  CHECK(gp_keys_new(&keys, NULL) == GP_OK);

  /* No place for the result, no handle. */
  CHECK(failed(gp_source_new(slice("{}"), NULL, &error), API_MISUSE, error, "argument source is a null pointer"));
  CHECK(failed(gp_keys_new(NULL, &error), API_MISUSE, error, "argument keys"));
  CHECK(failed(gp_verifier_open(slice("{}"), keys, NULL, &error), API_MISUSE, error, "argument op"));
  CHECK(failed(gp_verifier_open(slice("{}"), NULL, &no_op, &error), API_MISUSE, error, "argument keys"));
  CHECK(failed(gp_op_verifier(op, NULL, &error), API_MISUSE, error, "argument verifier"));
  CHECK(failed(gp_source_lookup(NULL, kind, audience, NOW, NOW, &lookup, &error), API_MISUSE, error, "argument source"));
  CHECK(lookup.answer == GP_NOTHING && lookup.op == NULL && is_empty(lookup.header));
  CHECK(failed(gp_source_lookup(source, kind, audience, NOW, NOW, NULL, &error), API_MISUSE, error, "argument lookup"));
  CHECK(failed(gp_source_access_token_headers(source, NULL, &error), API_MISUSE, error, "argument headers"));
  CHECK(failed(gp_verifier_check(NULL, ABSENT, NOW, NOW, &verdict, &error), API_MISUSE, error, "argument verifier"));
  CHECK(failed(gp_verifier_check(verifier, ABSENT, NOW, NOW, NULL, &error), API_MISUSE, error, "argument verdict"));
  CHECK(gp_verifier_recall(NULL, ABSENT, NOW, NOW) == 0);
  CHECK(failed(gp_verifier_token_from_headers(NULL, ABSENT, ABSENT, ABSENT, &buf, &error), API_MISUSE, error,
               "argument verifier"));
  CHECK(failed(gp_verifier_token_from_headers(verifier, ABSENT, ABSENT, ABSENT, NULL, &error), API_MISUSE, error,
               "argument token"));
  CHECK(failed(gp_op_resume(NULL, NOW, NOW, slice(START), &buf, &error), API_MISUSE, error, "argument op"));
  CHECK(failed(gp_op_resume(op, NOW, NOW, slice(START), NULL, &error), API_MISUSE, error, "argument step"));
  CHECK(failed(gp_audience_for_url(slice("https://a.example"), NULL, &error), API_MISUSE, error, "audience"));
  CHECK(failed(gp_same_audience_spellings(audience, NULL, &error), API_MISUSE, error, "argument spellings"));
  CHECK(failed(gp_source_principal(source, NULL, &error), API_MISUSE, error, "argument op"));
  CHECK(failed(gp_source_principal(NULL, &no_op, &error), API_MISUSE, error, "argument source"));
  CHECK(failed(gp_source_sign_bytes(NULL, audience, &no_op, &error), API_MISUSE, error, "argument source"));
  CHECK(gp_source_principal(source, &no_op, NULL) == GP_OK && resume(no_op, START, "\"read_env\""));
  gp_op_free(no_op);
  CHECK(gp_source_sign_bytes(source, audience, &no_op, NULL) == GP_OK && resume(no_op, START, "\"read_env\""));
  gp_op_free(no_op);
  CHECK(failed(gp_refusal_log(slice("{}"), slice("/"), NULL, &error), API_MISUSE, error, "argument line"));
  CHECK(gp_refusal_log(slice("{\"code\":\"TOKEN_EXPIRED\",\"message\":\"late\"}"), slice("/a"), &buf, NULL) == GP_OK);
  CHECK(take(buf, "\"level\":\"warning\""));
  CHECK(failed(gp_plan_call(slice("{}"), NULL, &error), API_MISUSE, error, "argument plan"));
  CHECK(failed(gp_plan_call(slice("{\"url\":\"http://a.example\"}"), &buf, &error), INVALID_AUDIENCE, error, "http"));
  CHECK(gp_plan_call(slice("{\"url\":\"https://a.example\"}"), &buf, NULL) == GP_OK && take(buf, "\"authorization\""));
  CHECK(failed(gp_own_audiences(NULL, &error), API_MISUSE, error, "argument op"));
  CHECK(failed(gp_explain(verifier, slice("{}"), audience, NOW, NULL, &error), API_MISUSE, error, "explanation"));

  /* Slices that cannot be. */
  const gp_slice bad[] = {NULL_WITH_LENGTH, LONGER_THAN_MEMORY, NOT_UTF8};
  const char *const why[] = {"is a null pointer with a length", "is longer than memory can be", "is not UTF-8"};
  for (size_t i = 0; i < 3; i++) {
    no_source = source;
    CHECK(failed(gp_source_new(bad[i], &no_source, &error), API_MISUSE, error, why[i]));
    CHECK(no_source == NULL);
    no_op = op;
    CHECK(failed(gp_verifier_open(bad[i], keys, &no_op, &error), API_MISUSE, error, why[i]));
    CHECK(no_op == NULL);
    CHECK(failed(gp_source_lookup(source, bad[i], audience, NOW, NOW, &lookup, &error), API_MISUSE, error, why[i]));
    CHECK(failed(gp_source_lookup(source, kind, bad[i], NOW, NOW, &lookup, &error), API_MISUSE, error, why[i]));
    CHECK(failed(gp_op_resume(op, NOW, NOW, bad[i], &buf, &error), API_MISUSE, error, why[i]));
    CHECK(is_empty(buf));
    CHECK(failed(gp_audience_for_url(bad[i], &buf, &error), API_MISUSE, error, why[i]));
    CHECK(failed(gp_same_audience_spellings(bad[i], &buf, &error), API_MISUSE, error, why[i]));
    CHECK(failed(gp_explain(NULL, bad[i], audience, NOW, &buf, &error), API_MISUSE, error, why[i]));
    CHECK(is_empty(buf));
  }
  for (size_t i = 0; i < 2; i++) {
    CHECK(failed(gp_verifier_check(verifier, bad[i], NOW, NOW, &verdict, &error), API_MISUSE, error, why[i]));
    CHECK(verdict.answer == GP_NOTHING);
    CHECK(failed(gp_explain(NULL, slice("{}"), bad[i], NOW, &buf, &error), API_MISUSE, error, why[i]));
    CHECK(gp_verifier_recall(verifier, bad[i], NOW, NOW) == 0);
    for (int header = 0; header < 3; header++) {
      gp_slice in[3] = {ABSENT, ABSENT, ABSENT};
      in[header] = bad[i];
      CHECK(failed(gp_verifier_token_from_headers(verifier, in[0], in[1], in[2], &buf, &error), API_MISUSE, error,
                   why[i]));
      CHECK(is_empty(buf));
    }
  }

  /* Text that says nothing. */
  CHECK(failed(gp_source_new(slice("{\"sed\":1}"), &no_source, &error), INVALID_OPTION, error, "sed"));
  CHECK(failed(gp_verifier_open(slice("[]"), keys, &no_op, &error), INVALID_OPTION, error, "INVALID_OPTION"));
  CHECK(failed(gp_source_lookup(source, slice("x"), audience, NOW, NOW, &lookup, &error), API_MISUSE, error, "kind"));
  CHECK(failed(gp_source_lookup(source, kind, ABSENT, NOW, NOW, &lookup, &error), INVALID_AUDIENCE, error, "empty"));
  CHECK(resume(op, "{\"reply\":\"txt\"}", "API_MISUSE"));
  CHECK(resume(op, "{\"reply\":\"elapsed\"}", "API_MISUSE"));

  /* Who does not want to know why need not. */
  CHECK(gp_source_new(ABSENT, NULL, NULL) == API_MISUSE);
  CHECK(gp_op_resume(NULL, NOW, NOW, ABSENT, NULL, NULL) == API_MISUSE);

  /* Nothing to free, nothing to cancel. */
  gp_source_free(NULL);
  gp_verifier_free(NULL);
  gp_keys_free(NULL);
  gp_op_cancel(NULL);
  gp_op_free(NULL);
  gp_buf nothing = {NULL, 0};
  gp_buf_free(nothing);

  gp_op_free(op);
  gp_keys_free(keys);
  gp_verifier_free(verifier);
  gp_source_free(source);
}

struct shared {
  gp_source *source;
  gp_verifier *verifier;
  const char *token;
  uint64_t now_ms;
};

static void *use_shared(void *argument) {
  const struct shared *shared = argument;
  for (int i = 0; i < 50; i++) {
    CHECK(take(check(shared->verifier, shared->token, shared->now_ms, GP_ACCEPTED).payload, "\"email\""));
    gp_lookup lookup;
    CHECK(gp_source_lookup(shared->source, slice("id_token"), slice(AUDIENCE), NOW, NOW, &lookup, NULL) == GP_OK);
    CHECK(lookup.answer == GP_FETCH || lookup.answer == GP_JOIN);
    gp_op_free(lookup.op);
  }
  return NULL;
}

static void threads_share_a_source_and_a_verifier(const char *options, const char *token, uint64_t now_ms) {
  struct shared shared = {new_source(), new_verifier(options), token, now_ms};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, use_shared, &shared) == 0);
  for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  gp_verifier_free(shared.verifier);
  gp_source_free(shared.source);
}

int main(int argc, char **argv) {
  CHECK(argc == 6);
  const char *options = argv[1], *keys_url_options = argv[2], *keys_reply = argv[3], *token = argv[4];
  uint64_t now_ms = strtoull(argv[5], NULL, 10);

  what_needs_no_handle();
  a_token_is_fetched_once();
  a_cancelled_fetch_falls_to_the_next();
  tokens_are_verified(options, token, now_ms);
  a_verifier_that_trusts_says_so();
  keys_are_fetched_once(keys_url_options, keys_reply, token, now_ms);
  tokens_are_found_in_headers(options);
  misuse_is_an_error(options);
  threads_share_a_source_and_a_verifier(options, token, now_ms);
  puts("ok");
  return 0;
}
