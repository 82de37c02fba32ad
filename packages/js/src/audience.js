/** Audiences: of a receiver that is called, and of this service. */

import { crossing, text } from './native.js';

export function audienceForUrl({ native }, url) {
  // Written as the HTTP client reads it: a URL that two parsers read differently would get a stranger's audience.
  const href = URL.canParse(url) ? new URL(url).href : text(url);
  return crossing(() => native.audienceForUrl(href));
}

export function sameAudienceSpellings({ native }, audience) {
  return JSON.parse(native.sameAudienceSpellings(text(audience)));
}

export async function ownAudiences(host, { signal } = {}) {
  const op = host.native.ownAudiences();
  try {
    const { audiences } = await host.drive(op, signal);
    return audiences;
  } finally {
    op.cancel();
  }
}
