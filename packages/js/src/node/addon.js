/** Where the native add-on is: `scripts/build.js` puts it there, `native.js` loads it. */

import { fileURLToPath } from 'node:url';

/** The platform in Node's own words, such as `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/** The add-on's file for this platform. */
export const addonPath = fileURLToPath(new URL(`../../native/gatepass.${platform}.node`, import.meta.url));
