/** Audiences: of a receiver that is called, and of this service. */

import { drive } from './node/driver/driver.js';
import { crossing, native, text } from './native.js';

export function audienceForUrl(url) {
  // Written as the HTTP client reads it: a URL that two parsers read differently would get a stranger's audience.
  const href = URL.canParse(url) ? new URL(url).href : text(url);
  return crossing(() => native.audienceForUrl(href));
}

export function sameAudienceSpellings(audience) {
  return JSON.parse(native.sameAudienceSpellings(text(audience)));
}

export async function ownAudiences({ signal } = {}) {
  const op = native.ownAudiences();
  try {
    const { audiences } = await drive(op, { clock: Date.now, suppliers: new Map() }, signal);
    return audiences;
  } finally {
    op.cancel();
  }
}
