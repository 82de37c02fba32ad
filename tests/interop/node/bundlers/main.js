import { caller } from './program.js';

console.log(await caller());
