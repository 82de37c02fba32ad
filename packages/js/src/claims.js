/** What a token says. */

/** Marks claims that nothing proves; no token can hold a symbol. */
export const unverified = Symbol('gatepass.unverified');

/**
 * The claims of a payload. Everybody who sends the same token is given the same object, so nobody may change it.
 *
 * @param {string} payload JSON
 * @param {boolean} isUnverified whether nothing proves it
 */
export function claimsOf(payload, isUnverified) {
  const claims = JSON.parse(payload);
  if (isUnverified) claims[unverified] = true;
  return frozen(claims);
}

function frozen(object) {
  for (const member of Object.values(object)) {
    if (typeof member === 'object' && member !== null) frozen(member);
  }
  return Object.freeze(object);
}
