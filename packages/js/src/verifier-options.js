/** Whom a verifier accepts, as users write it and as it crosses the border. */

import { documentText, list } from './options.js';

/** The options that there are; all but the clock cross the border. */
export const VERIFIER_OPTIONS = {
  audience: 'strings',
  anyAudience: 'boolean',
  preset: 'string',
  issuers: 'strings',
  algorithms: 'strings',
  keys: 'document',
  keysUrl: 'string',
  leewaySeconds: 'number',
  allowedEmails: 'strings',
  allowedSubjects: 'strings',
  anyCaller: 'boolean',
  trustCloudRunAndSkipSignature: 'boolean',
  rememberedBytes: 'number',
  clock: 'function',
};

/** These options as they cross the border. */
export function bordered(options) {
  return {
    preset: options.preset,
    issuers: listIfGiven(options.issuers),
    algorithms: list(options.algorithms),
    audiences: list(options.audience),
    any_audience: options.anyAudience,
    keys: documentText(options.keys),
    keys_url: options.keysUrl,
    leeway_seconds: options.leewaySeconds,
    allowed_emails: listIfGiven(options.allowedEmails),
    allowed_subjects: listIfGiven(options.allowedSubjects),
    any_caller: options.anyCaller,
    trust_cloud_run_and_skip_signature: options.trustCloudRunAndSkipSignature,
    remembered_bytes: options.rememberedBytes,
  };
}

/** No list is another thing than an empty one, which the core refuses. */
function listIfGiven(values) {
  return values === undefined ? undefined : list(values);
}
