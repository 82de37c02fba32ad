/** Audiences of a receiver that is called. */

import { typed } from './arguments.js';
import { hrefOf } from './calls.js';
import { crossing } from './native.js';

export function audienceForUrl({ native }, url) {
  const href = hrefOf(url);
  return crossing(() => native.audienceForUrl(href));
}

export function sameAudienceSpellings({ native }, audience) {
  return JSON.parse(native.sameAudienceSpellings(typed('audience', 'string', audience)));
}
