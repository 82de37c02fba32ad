/** Why a step could not be carried out, in the border's words. */
export class StepFailure extends Error {
  /**
   * @param {'not_found' | 'permission_denied' | 'connect' | 'timeout' | 'too_large' | 'unsupported' | 'other'} kind
   * @param {string} message reaches the user, so it holds no secret
   * @param {{ cause: unknown }} [options] what the user's own code has thrown, which goes back to the user
   */
  constructor(kind, message, options) {
    super(message, options);
    this.kind = kind;
  }
}

/** The failure of a step that this host does not carry out. */
export function unsupported({ step }) {
  return new StepFailure('unsupported', `this package does not carry out the step ${step} here`);
}

/** The failure of a signature by an algorithm that this package does not know. */
export function unknownAlgorithm(alg) {
  return new StepFailure('unsupported', `this package does not know the algorithm ${alg}`);
}
