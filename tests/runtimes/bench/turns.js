/**
 * What is measured, in whatever runtime: verification by gatepass and by jose, turn by turn, as the program says that
 * measures it from outside. That is because not every runtime has a clock that goes on while it computes.
 */

/** Bytes of remembered tokens, by the kind of those that come: of new ones there is room for none, or for some hundreds. */
const REMEMBERED = { new: 1, replacing: 1_000_000 };

/** Library → loads it, and gives what verifies a token: it checks signature, times, audience and issuer, and reads the e-mail. */
const LIBRARIES = {
  async gatepass({ audience, keys }, kind) {
    const { Verifier, init } = await import('gatepass/verify');
    await init();
    const verifier = new Verifier({ audience, keys, rememberedBytes: REMEMBERED[kind] });
    return async (token) => (await verifier.verify(token)).email;
  },
  async jose({ audience, keys, issuer }) {
    const { createLocalJWKSet } = await import('jose/jwks/local');
    const { jwtVerify } = await import('jose/jwt/verify');
    const set = createLocalJWKSet(keys);
    const options = { audience, issuer, algorithms: ['RS256'] };
    return async (token) => (await jwtVerify(token, set, options)).payload.email;
  },
};

/**
 * Takes turns until there are no more: each is a library, a kind of tokens, and how many of them.
 *
 * @param {string} origin of the program that measures
 */
export async function takeTurns(origin) {
  try {
    const material = await (await fetch(`${origin}/material`)).json();
    const verifications = {};
    const next = async () => await (await fetch(`${origin}/next`, { method: 'POST' })).json();
    for (let turn = await next(); turn !== null; turn = await next()) {
      const { library, kind, count } = turn;
      const tokens = tokensOf(material, kind, count);
      // What follows is what costs: from here to when the next turn is asked for.
      await next();
      if (library === null) continue;
      const verify = (verifications[`${library} ${kind}`] ??= await LIBRARIES[library](material, kind));
      for (const token of tokens) {
        if ((await verify(token)) !== material.email) throw new Error(`${library} reads another e-mail`);
      }
    }
  } catch (error) {
    await fetch(`${origin}/failed`, { method: 'POST', body: `${error?.stack ?? error}` });
  }
}

/** How many tokens were taken: each turn goes on where the last one has ended. */
let taken = 0;

/** So many tokens, each a string of its own, as a server has made it of the request that has just come. */
function tokensOf({ tokens }, kind, count) {
  const decoder = new TextDecoder();
  const bytes = (kind === 'repeated' ? tokens.slice(0, 1) : tokens).map((token) => new TextEncoder().encode(token));
  return Array.from({ length: count }, () => decoder.decode(bytes[taken++ % bytes.length]));
}
