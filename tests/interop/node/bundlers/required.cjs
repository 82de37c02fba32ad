const { GatePass, Verifier } = require('gatepass');

const audience = 'https://receiver.example';

new GatePass()
  .fetchIdToken(audience)
  .then((token) => new Verifier({ audience, keysUrl: process.env.KEYS_URL }).verify(token))
  .then(({ email }) => console.log(email));
