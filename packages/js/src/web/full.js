/** All of gatepass, not loaded yet. */

import { gatepassOn } from '../gatepass.js';
import * as glue from '../../wasm/gatepass.js';
import { packageOn } from './package.js';

export const { exported, initWith, useModule } = packageOn(glue, gatepassOn);
