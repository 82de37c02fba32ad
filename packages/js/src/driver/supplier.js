/** The user's own functions that give subject tokens. */

import { StepFailure } from './step-failure.js';

/**
 * Asks the supplier that the step names for a subject token.
 *
 * @param {Map<string, Function>} suppliers
 * @param {AbortSignal} signal aborted when nobody waits for it any more
 */
export async function supply({ supplier: name, audience, token_type: tokenType }, suppliers, signal) {
  const supplier = suppliers.get(name);
  if (supplier === undefined) {
    const names = [...suppliers.keys()].join(', ') || 'none';
    throw new StepFailure('not_found', `no supplier of this name is registered; registered are: ${names}`);
  }
  const token = await ask(supplier, { audience, tokenType, signal });
  if (typeof token !== 'string') throw new StepFailure('other', `it returned ${typeName(token)}, not text`);
  return token;
}

async function ask(supplier, request) {
  try {
    return await supplier(request);
  } catch (cause) {
    // The message of the user's error may hold the token.
    throw new StepFailure('other', typeName(cause), { cause });
  }
}

function typeName(value) {
  return value?.constructor?.name || typeof value;
}
