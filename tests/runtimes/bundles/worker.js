import * as gatepass from 'gatepass';
import * as verifying from 'gatepass/verify';

import { issuer } from './vector.js';

export default {
  async test() {
    console.log(JSON.stringify({ issuers: [await issuer(gatepass), await issuer(verifying)] }));
  },
};
