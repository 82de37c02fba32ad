/** Takes turns in a runtime that has Node's modules: Node.js itself, Deno, Bun. */

import { takeTurns } from './turns.js';

await takeTurns(process.env.ORIGIN);
