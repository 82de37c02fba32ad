/** The compiled module, in whatever form a user has it. */

/**
 * @param {WebAssembly.Module | Response | URL | string | BufferSource | Promise} given
 * @returns {Promise<WebAssembly.Module>}
 */
export async function moduleOf(given) {
  const found = await given;
  if (found instanceof WebAssembly.Module) return found;
  if (found instanceof URL || typeof found === 'string') return await moduleOf(fetch(found));
  if (typeof found?.arrayBuffer === 'function') return await moduleOf(found.arrayBuffer());
  return await WebAssembly.compile(found);
}
