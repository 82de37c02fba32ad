import * as gatepass from 'gatepass';
import * as verifying from 'gatepass/verify';

import { issuer } from './vector.js';

await Promise.all([gatepass.init(), verifying.init()]);
document.documentElement.dataset.issuers = JSON.stringify([await issuer(gatepass), await issuer(verifying)]);
