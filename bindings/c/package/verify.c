/*
 * Verifies tokens with keys that are known beforehand, so that nothing has to be fetched.
 *
 * usage: verify OPTIONS NOW_MS <tokens
 * OPTIONS are those of gp_verifier_open, with "keys" among them. Of each line of standard input, a token, prints the
 * claims, or the error.
 *
 *   cc verify.c $(pkg-config --cflags --libs gatepass) -o verify
 *   ./verify '{"audiences":["https://orders.example"],"keys":"…"}' "$(date +%s)000" <tokens
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gatepass.h>

/* The age of keys that were given does not matter. */
static const uint64_t MONOTONIC_MS = 0;

static gp_slice slice(const char *text) {
  return (gp_slice){(const uint8_t *)text, strlen(text)};
}

static void print(gp_buf text) {
  printf("%.*s\n", (int)text.len, (const char *)text.data);
  gp_buf_free(text);
}

static int fail(gp_buf error) {
  print(error);
  return EXIT_FAILURE;
}

int main(int count, char **arguments) {
  if (count != 3) {
    fputs("usage: verify OPTIONS NOW_MS <tokens\n", stderr);
    return 2;
  }
  uint64_t now_ms = strtoull(arguments[2], NULL, 10);
  gp_buf error;

  /* A verifier is made by an operation, whose one step asks for variables of the environment. These are all unset. */
  gp_keys *keys;
  gp_op *op;
  if (gp_keys_new(&keys, &error) != GP_OK) return fail(error);
  if (gp_verifier_open(slice(arguments[1]), keys, &op, &error) != GP_OK) return fail(error);
  gp_buf step;
  const char *replies[] = {"{\"reply\":\"start\"}", "{\"reply\":\"env\",\"values\":{}}"};
  for (size_t at = 0; at < 2; at++) {
    if (at > 0) gp_buf_free(step);
    if (gp_op_resume(op, now_ms, MONOTONIC_MS, slice(replies[at]), &step, &error) != GP_OK) return fail(error);
  }
  gp_verifier *verifier;
  if (gp_op_verifier(op, &verifier, NULL) != GP_OK) return fail(step);
  gp_buf_free(step);
  gp_op_free(op);

  static char line[1 << 20];
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    gp_verdict verdict;
    if (gp_verifier_check(verifier, slice(line), now_ms, MONOTONIC_MS, &verdict, &error) != GP_OK) {
      print(error);
    } else if (verdict.answer == GP_ACCEPTED) {
      print(verdict.payload);
    } else {
      gp_op_free(verdict.op);
      puts("the keys would have to be fetched");
    }
  }
  gp_verifier_free(verifier);
  gp_keys_free(keys);
  return EXIT_SUCCESS;
}
