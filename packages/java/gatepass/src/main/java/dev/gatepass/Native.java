package dev.gatepass;

import dev.gatepass.json.Json;

/**
 * The border: functions of bindings/jni. Text crosses as UTF-8, handles as numbers, and every function may throw what
 * {@link #failure} makes.
 */
final class Native {
    private static final UnsatisfiedLinkError NOT_LOADED = NativeLibrary.load();

    private Native() {}

    /**
     * Fails, each time in the same words, if there is no native library. To be called before anything of this package is
     * made: a class that fails to be initialized says why only the first time.
     */
    static void require() {
        if (NOT_LOADED != null) {
            throw (UnsatisfiedLinkError) new UnsatisfiedLinkError(NOT_LOADED.getMessage()).initCause(NOT_LOADED);
        }
    }

    static native byte[] version();

    static native byte[] errorCodes();

    static native byte[] limits();

    static native byte[] tokenHeaders();

    static native byte[] refusalLog(byte[] error, byte[] path);

    static native byte[] planCall(byte[] call);

    static native byte[] audienceForUrl(byte[] url);

    static native byte[] sameAudienceSpellings(byte[] audience);

    static native long ownAudiences();

    static native byte[] explain(byte[] options, byte[] token, long nowMs);

    static native long newSource(byte[] options);

    static native void freeSource(long source);

    static native byte[] lookup(long source, byte[] kind, byte[] target, long nowMs, long monotonicMs,
            long[] answer);

    static native boolean retryAfterRefusal(long source, byte[] kind, byte[] target, byte[] header, int status, long nowMs,
            long monotonicMs);

    static native boolean invalidate(long source, byte[] kind, byte[] target, byte[] header, long nowMs,
            long monotonicMs);

    static native long principal(long source);

    static native long signBytes(long source, byte[] bytes);

    static native byte[] accessTokenHeaders(long source);

    static native long newKeys();

    static native void freeKeys(long keys);

    /** The operation that makes a verifier; {@link #opVerifier} gives it. */
    static native long openVerifier(byte[] options, long keys);

    static native long opVerifier(long op);

    static native void freeVerifier(long verifier);

    /**
     * The entry of a token that is remembered and good, a positive number. Of any other the handle of its digest,
     * negated: {@link #check} takes it, so that a token is hashed once.
     */
    static native long recall(long verifier, byte[] token, long nowMs, long monotonicMs);

    /** The verdict; {@code digest} is what {@link #recall} has just said of the token, or 0. */
    static native byte[] check(long verifier, byte[] token, long digest, long nowMs, long monotonicMs, long[] answer);

    static native byte[] tokenFromHeaders(
            long verifier,
            byte[] authorization,
            byte[] xServerlessAuthorization,
            byte[] xGoogIapJwtAssertion);

    static native byte[] explainTo(long verifier, byte[] token, byte[] place, long nowMs);

    static native byte[] resume(long op, long nowMs, long monotonicMs, byte[] reply);

    static native void cancel(long op);

    /** Called by the native side, which throws what this returns. */
    static GatepassException failure(byte[] json) {
        return Failures.of(Json.readMembers(json));
    }
}
