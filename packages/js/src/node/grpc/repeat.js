/** Calls that are repeated once with another token. */

import { InterceptingCall, Metadata, credentials, status } from '@grpc/grpc-js';

/** What each attempt was sent with, where somebody wants to know it: by the object with which gRPC asks for credentials. */
const wanted = new WeakMap();
const NOTHING = new Metadata();

/** Notes what an attempt is sent with. */
export function sent(attempt, client, headers, url) {
  const record = wanted.get(attempt);
  if (record !== undefined) Object.assign(record, { client, headers, url });
}

/** Both, or the one that there is. */
export function combined(given, own) {
  return given === undefined || given === null ? own : credentials.combineCallCredentials(given, own);
}

export function repeatUnauthenticated(options, nextCall) {
  const { requestStream, responseStream } = options.method_definition;
  return requestStream || responseStream ? watched(options, nextCall) : new Repeatable(options, nextCall);
}

/** A call, and the record of what its last attempt is sent with. */
function recorded(options, nextCall) {
  const record = {};
  const own = credentials.createFromMetadataGenerator((attempt, callback) => {
    wanted.set(attempt, record);
    callback(null, NOTHING);
  });
  return { record, call: nextCall({ ...options, credentials: combined(options.credentials, own) }) };
}

/** Whether a call that was sent with this and refused gets another token the next time. */
function isReplaced({ client, headers, url }) {
  return client !== undefined && client.invalidate(headers, url);
}

/** A stream, of which messages may have gone either way: it is not repeated, and the next one has another token. */
function watched(options, nextCall) {
  const { record, call } = recorded(options, nextCall);
  return new InterceptingCall(call, {
    start: (metadata, _, next) =>
      next(metadata, {
        onReceiveStatus: (received, handOn) => {
          if (received.code === status.UNAUTHENTICATED) isReplaced(record);
          handOn(received);
        },
      }),
  });
}

/** A unary call, which is repeated as long as nothing of an answer has been handed on. */
class Repeatable extends InterceptingCall {
  #begin;
  #call;
  #record;
  #start;
  #request;
  #isComplete = false;
  #isReading = false;
  #isCancelled = false;

  constructor(options, nextCall) {
    const begin = () => recorded(options, nextCall);
    const { record, call } = begin();
    super(call);
    this.#begin = begin;
    this.#record = record;
    this.#call = call;
  }

  start(metadata, listener = {}) {
    // What comes behind may add to it.
    this.#start = { metadata: metadata.clone(), listener };
    let headers;
    let isAnswered = false;
    const handOn = () => {
      if (headers !== undefined) listener.onReceiveMetadata?.(headers);
      headers = undefined;
    };
    this.#call.start(metadata, {
      onReceiveMetadata: (received) => {
        headers = received;
      },
      onReceiveMessage: (message) => {
        // What comes of a call that ends without an answer.
        if (message === null) return;
        isAnswered = true;
        handOn();
        listener.onReceiveMessage?.(message);
      },
      onReceiveStatus: (received) => {
        if (received.code === status.UNAUTHENTICATED && !isAnswered && this.#repeat()) return;
        handOn();
        listener.onReceiveStatus?.(received);
      },
    });
  }

  /** Calls again, if there is another token; says whether it does. */
  #repeat() {
    if (!this.#isComplete || this.#isCancelled || !isReplaced(this.#record)) return false;
    const { metadata, listener } = this.#start;
    this.#call = this.#begin().call;
    this.#call.start(metadata, listener);
    this.#call.sendMessageWithContext(...this.#request);
    this.#call.halfClose();
    if (this.#isReading) this.#call.startRead();
    return true;
  }

  sendMessageWithContext(context, message) {
    this.#request = [context, message];
    this.#call.sendMessageWithContext(context, message);
  }

  sendMessage(message) {
    this.sendMessageWithContext({}, message);
  }

  halfClose() {
    this.#isComplete = true;
    this.#call.halfClose();
  }

  startRead() {
    this.#isReading = true;
    this.#call.startRead();
  }

  cancelWithStatus(code, details) {
    this.#isCancelled = true;
    this.#call.cancelWithStatus(code, details);
  }

  getPeer() {
    return this.#call.getPeer();
  }

  getAuthContext() {
    return this.#call.getAuthContext();
  }
}
