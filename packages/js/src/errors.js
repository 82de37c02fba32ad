/** The error classes, one for each family of codes. */

/** Any error of gatepass; itself for a mistake in how gatepass is called. */
export class GatepassError extends Error {
  #grpc;

  constructor(failure, options) {
    const { code, message, retryable = false, claim = null, refusal = null, claimed_email = null } = failure;
    // A refused token may have anything in backticks.
    super(failure.kind === 'verify' ? message : spelled(message), options);
    this.code = code;
    this.retryable = retryable;
    this.claim = claim;
    this.reason = failure.reason ?? null;
    this.found = failure.found ?? null;
    this.expected = failure.expected ?? null;
    // For the middleware; not worth a line wherever the error is printed.
    Object.defineProperty(this, 'refusal', { value: refusal });
    Object.defineProperty(this, 'claimedEmail', { value: claimed_email });
    Object.defineProperty(this, 'grpcCallCode', { value: failure.grpc_call_code ?? null });
    this.#grpc = failure.grpc;
  }

  /** Made when it is asked for: most errors are no answer of a gRPC server. */
  get grpcStatus() {
    if (this.#grpc === undefined) return null;
    const { code, message, details } = this.#grpc;
    return { code, message, details: Uint8Array.from(atob(details), (letter) => letter.charCodeAt(0)) };
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

/** Options that are not spelled as at the border in another case. */
const OPTIONS = { credentials_file: 'keyFilename', credentials_json: 'credentials', audiences: 'audience' };

/** The names of options in a message, as this package spells them. */
function spelled(message) {
  const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return message.replace(/`([a-z_]+)`/g, (_, name) => `\`${OPTIONS[name] ?? camelCase(name)}\``);
}

/** The error for a failure as the add-on describes it, with what the user's own code has thrown, if it is due to that. */
export function errorFrom(failure, cause) {
  return new classes[failure.kind](failure, cause === undefined ? undefined : { cause });
}
