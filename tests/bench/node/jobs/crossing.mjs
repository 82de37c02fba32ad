/** What it costs to call into the native add-on and back: the limit for everything behind it. */

// The package hides the add-on.
import { native } from '../../../../packages/node/lib/native.js';
import { rate } from '../measure.mjs';

export function crossing() {
  const op = native.ownAudiences();
  // It has no flight: there is nothing to do, and nothing to hand over.
  return { name: 'empty call', package: 'gatepass', measure: (seconds) => rate(seconds, () => op.flight) };
}
