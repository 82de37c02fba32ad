/** The audiences of this service. */

import { checkOptions } from './arguments.js';

export async function ownAudiences(host, options = {}) {
  const { signal } = checkOptions('ownAudiences', options, { signal: 'signal' });
  const op = host.native.ownAudiences();
  try {
    const { audiences } = await host.drive(op, signal);
    return audiences;
  } finally {
    op.cancel();
  }
}
