import { GatePass, Verifier } from 'gatepass';

export function verifier({ preset, audience, jwks }) {
  const verifier = new Verifier({ preset, audience, keys: jwks });
  return (token) => verifier.verify(token);
}

export function signer({ privatePem, policy: { kid } }) {
  const gatepass = new GatePass({
    credentials: {
      type: 'service_account',
      project_id: 'bench',
      client_email: 'signer@bench.iam.gserviceaccount.com',
      client_id: '1',
      private_key_id: kid,
      private_key: privatePem,
      token_uri: 'https://oauth2.googleapis.com/token',
    },
  });
  return (audience) => gatepass.fetchSelfSignedJwt(audience);
}
