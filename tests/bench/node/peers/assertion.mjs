/** The claims of an assertion, for libraries that leave them to their users. */
export function assertion(aud) {
  const email = 'signer@bench.iam.gserviceaccount.com';
  const iat = Math.floor(Date.now() / 1000);
  return { iss: email, sub: email, aud, iat, exp: iat + 3600 };
}
