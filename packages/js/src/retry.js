/** Asking again, for callers who want it: `retry` and `retryConfig` of google-auth-library's `request`. */

/** What `request` takes for it. */
export const RETRY_OPTIONS = { retry: 'boolean', retryConfig: 'object' };

/** The library's own values: three more attempts, for methods that change nothing a second time. */
const DEFAULTS = {
  retry: 3,
  noResponseRetries: 2,
  retryDelay: 100,
  retryDelayMultiplier: 2,
  httpMethodsToRetry: ['GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE'],
  statusCodesToRetry: [
    [100, 199],
    [408, 408],
    [429, 429],
    [500, 599],
  ],
};

/**
 * Attempts a request, again where that is wanted.
 *
 * @param {() => Promise} attempt throws an error with a `status` for a status that is none of success
 */
export async function retrying(attempt, { retry, retryConfig, method = 'GET', signal }) {
  if (!retry && retryConfig === undefined) return await attempt();
  const config = { ...DEFAULTS, ...retryConfig };
  let delay = config.retryDelay;
  for (let failures = 0; ; failures++, delay *= config.retryDelayMultiplier) {
    try {
      return await attempt();
    } catch (error) {
      if (signal?.aborted || !isWorthIt(error, failures, method.toUpperCase(), config)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}

function isWorthIt({ status, code }, failures, method, config) {
  // An error of gatepass's own has been tried again already, where that makes sense.
  if (code !== undefined || !config.httpMethodsToRetry.includes(method)) return false;
  if (status === undefined) return failures < config.noResponseRetries;
  return (
    failures < config.retry && config.statusCodesToRetry.some(([from, to]) => from <= status && status <= to)
  );
}
