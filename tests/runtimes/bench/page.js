/** Takes turns in a browser. */

import { takeTurns } from './turns.js';

await takeTurns(location.origin);
