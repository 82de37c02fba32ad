/** Servers that check tokens. */

import { Metadata, ServerInterceptingCall, status } from '@grpc/grpc-js';

import { typed } from '../../arguments.js';
import { Guard, failed } from '../../middleware.js';
import { Verifier } from '../index.js';

/** The metadata of a call → the claims of its token. */
const claims = new WeakMap();

export function claimsOf(call) {
  const found = claims.get(call.metadata);
  if (found !== undefined) return found;
  throw new Error(
    'the call has no claims: requireIdToken did not run for it, or let it through without a token',
  );
}

export function requireIdToken(options = {}) {
  const { openServices = [], optional, onRefusal, ...policy } = typed('options', 'object', options);
  const open = new Set([typed('options.openServices', 'strings', openServices)].flat());
  const guard = new Guard(() => new Verifier(policy), { optional, onRefusal });
  return function requireIdToken({ path }, call) {
    if (open.has(serviceOf(path))) return new ServerInterceptingCall(call);
    const onReceiveMetadata = (metadata, handOn) => {
      const admit = (found) => {
        if (found !== null) claims.set(metadata, found);
        handOn(metadata);
      };
      const refuse = (error) => {
        call.sendStatus(statusOf(error));
        tell(guard, error, { path, metadata });
      };
      let found;
      try {
        found = guard.checkCall((name) => metadata.get(name));
      } catch (error) {
        refuse(error);
        return;
      }
      if (found instanceof Promise) found.then(admit, refuse);
      else admit(found);
    };
    return new ServerInterceptingCall(call, { start: (next) => next({ onReceiveMetadata }) });
  };
}

/** The service of `/package.Service/Method`. */
function serviceOf(path) {
  return path.slice(1, path.lastIndexOf('/'));
}

function statusOf({ grpcStatus }) {
  const metadata = new Metadata();
  if (!grpcStatus) return { code: status.INTERNAL, details: 'a fault in gatepass', metadata };
  const { code, message, details } = grpcStatus;
  metadata.set('grpc-status-details-bin', Buffer.from(details));
  return { code, details: message, metadata };
}

/** Whatever the user's hook does, the call is refused: gRPC has no error handling that it could be left to. */
function tell(guard, error, call) {
  try {
    guard.tell(error, call, call.path, console);
  } catch (thrown) {
    console.error(failed(thrown));
  }
}
