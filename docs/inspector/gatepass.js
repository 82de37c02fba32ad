// The core, as WebAssembly. It comes within a script, not as a file of its own: fetching one would be a connection.

import { explain, init } from './gatepass/src/web/index.js';
import { base64 } from './module.js';

await init(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));

export { explain };
