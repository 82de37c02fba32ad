/**
 * The border to the native add-on (`bindings/node`), which decides everything.
 *
 * Members of what it takes and gives are spelt as in its JSON, `fresh_until_ms`; times are Unix milliseconds.
 */

import { createRequire } from 'node:module';

import { addonPath, platform } from './node/addon.js';
import { errorFrom } from './errors.js';

/** The add-on: `Source`, `verifier`, `Op`, `audienceForUrl`, `errorCodes`, `PLACES`, `VERSION`. */
export const native = load();

/** Makes a call to the add-on and throws its errors as this package's. */
export function crossing(call) {
  try {
    return call();
  } catch (error) {
    throw errorFrom(failureOf(error));
  }
}

/** What is no string crosses as an empty one: the add-on then says what is missing, in one error for all. */
export function text(value) {
  return typeof value === 'string' ? value : '';
}

function load() {
  try {
    return createRequire(import.meta.url)(addonPath);
  } catch (cause) {
    throw new Error(
      `gatepass: the native add-on for ${platform} cannot be loaded from ${addonPath}; ` +
        'run `npm rebuild gatepass`, and see that install scripts are not switched off',
      { cause },
    );
  }
}

/** The add-on throws with the failure's JSON as the message. */
function failureOf(error) {
  try {
    return JSON.parse(error.message);
  } catch {
    throw error;
  }
}
