/** The error classes, one for each family of codes. */

/** Any error of gatepass; itself for a mistake in how gatepass is called. */
export class GatepassError extends Error {
  constructor({ code, message, retryable = false, claim = null, refusal = null }, options) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
    this.claim = claim;
    // For the middleware; not worth a line wherever the error is printed.
    Object.defineProperty(this, 'refusal', { value: refusal });
  }
}

/** The credentials cannot be found, read or used. */
export class CredentialsError extends GatepassError {}

/** An endpoint cannot be reached, or answers nothing useful. */
export class TransportError extends GatepassError {}

/** A received token is refused. */
export class VerifyError extends GatepassError {}

for (const errorClass of [GatepassError, CredentialsError, TransportError, VerifyError]) {
  Object.defineProperty(errorClass.prototype, 'name', { value: errorClass.name });
}

const classes = {
  usage: GatepassError,
  credentials: CredentialsError,
  transport: TransportError,
  verify: VerifyError,
};

/** The error for a failure as the add-on describes it, with what the user's own code has thrown, if it is due to that. */
export function errorFrom(failure, cause) {
  return new classes[failure.kind](failure, cause === undefined ? undefined : { cause });
}
