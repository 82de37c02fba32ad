/** Takes turns in workerd: `workerd test`. */

import { takeTurns } from './turns.js';

export default {
  async test(_controller, { ORIGIN }) {
    await takeTurns(ORIGIN);
  },
};
