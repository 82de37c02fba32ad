/** The part of gatepass that verifies, not loaded yet. */

import { verifyingOn } from '../verifying.js';
import * as glue from '../../wasm/verify.js';
import { packageOn } from './package.js';

export const { exported, initWith, useModule } = packageOn(glue, verifyingOn);
