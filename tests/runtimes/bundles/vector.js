/** A vector, to be bundled as a user's own files are. */

import algorithms from '../../vectors/algorithms/algorithms.json';
import { fetchedCase } from '../vectors.js';

/** The issuer of the vector's token, when it is verified; or the code of the error. */
export async function issuer({ Verifier }) {
  const { token, algorithms: allowed, keys } = fetchedCase({ 'algorithms/algorithms.json': algorithms });
  const { issuer, audience, now } = algorithms;
  const clock = () => now * 1000;
  const verifier = new Verifier({ issuers: issuer, audience, algorithms: allowed, keys, clock });
  return await verifier.verify(token).then(
    (claims) => claims.iss,
    (error) => error.code,
  );
}
