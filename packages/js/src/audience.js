/** Audiences: of a receiver that is called, and of this service. */

import { checkOptions, typed } from './arguments.js';
import { hrefOf } from './calls.js';
import { crossing } from './native.js';

export function audienceForUrl({ native }, url) {
  const href = hrefOf(url);
  return crossing(() => native.audienceForUrl(href));
}

export function sameAudienceSpellings({ native }, audience) {
  return JSON.parse(native.sameAudienceSpellings(typed('audience', 'string', audience)));
}

export async function ownAudiences(host, options = {}) {
  const { signal } = checkOptions('ownAudiences', options, { signal: 'signal' });
  const op = host.native.ownAudiences();
  try {
    const { audiences } = await host.drive(op, signal);
    return audiences;
  } finally {
    op.cancel();
  }
}
