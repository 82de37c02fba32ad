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
  // A stream of requests is gone once it was sent.
  if (options.method_definition.requestStream) return nextCall(options);
  return new Repeatable(options, nextCall);
}

/** A call with one request, which is repeated as long as nothing of an answer has been handed on. */
class Repeatable extends InterceptingCall {
  #begin;
  #call;
  #record;
  #isUnary;
  #start;
  #request;
  #isComplete = false;
  #isReading = false;
  #isCancelled = false;

  constructor(options, nextCall) {
    const begin = () => {
      const record = {};
      const own = credentials.createFromMetadataGenerator((attempt, callback) => {
        wanted.set(attempt, record);
        callback(null, NOTHING);
      });
      return { record, call: nextCall({ ...options, credentials: combined(options.credentials, own) }) };
    };
    const { record, call } = begin();
    super(call);
    this.#begin = begin;
    this.#record = record;
    this.#call = call;
    this.#isUnary = !options.method_definition.responseStream;
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
        // Whoever waits for a stream's answers may wait for this first.
        if (this.#isUnary) return;
        isAnswered = true;
        handOn();
      },
      onReceiveMessage: (message) => {
        // What comes of a unary call that ends without an answer.
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
    const { client, headers, url } = this.#record;
    if (client === undefined || !this.#isComplete || this.#isCancelled) return false;
    if (!client.invalidate(headers, url)) return false;
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
