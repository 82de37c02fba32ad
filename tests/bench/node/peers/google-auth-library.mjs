import { OAuth2Client } from 'google-auth-library';
// The part that signs has no name in the package's index.
import { JWTAccess } from 'google-auth-library/build/src/auth/jwtaccess.js';

export function verifier({ audience, issuer, kid, publicPem }) {
  const client = new OAuth2Client();
  return async (token) => {
    const certificates = { [kid]: publicPem };
    const ticket = await client.verifySignedJwtWithCertsAsync(token, certificates, audience, [issuer]);
    return ticket.getPayload();
  };
}

export function signer({ privatePem, policy: { kid } }) {
  const access = new JWTAccess('signer@bench.iam.gserviceaccount.com', privatePem, kid);
  return (audience) => access.getRequestHeaders(audience);
}
