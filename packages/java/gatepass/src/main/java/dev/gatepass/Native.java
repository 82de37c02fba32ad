package dev.gatepass;

import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.util.function.LongConsumer;

/**
 * The border: functions of bindings/jni. Text crosses as UTF-8, handles as numbers, and every function may throw what
 * {@link #failure} makes.
 */
final class Native {
    private static final Cleaner CLEANER = Cleaner.create();

    static {
        NativeLibrary.load();
    }

    private Native() {}

    static native byte[] version();

    static native byte[] errorCodes();

    static native byte[] audienceForUrl(byte[] url);

    static native byte[] sameAudienceSpellings(byte[] audience);

    static native long ownAudiences();

    static native byte[] explain(byte[] options, byte[] token, long nowMs);

    static native long newSource(byte[] options);

    static native void freeSource(long source);

    static native byte[] lookup(long source, byte[] kind, byte[] target, long nowMs, long[] answer);

    static native byte[] accessTokenHeaders(long source);

    static native long newVerifier(byte[] options);

    static native void freeVerifier(long verifier);

    /**
     * The entry of a token that is remembered and good, a positive number. Of any other the handle of its digest,
     * negated: {@link #check} takes it, so that a token is hashed once.
     */
    static native long recall(long verifier, byte[] token, long nowMs);

    /** The verdict; {@code digest} is what {@link #recall} has just said of the token, or 0. */
    static native byte[] check(long verifier, byte[] token, long digest, long nowMs, long[] answer);

    static native byte[] tokenFromHeaders(
            long verifier,
            byte[] authorization,
            byte[] xServerlessAuthorization,
            byte[] xGoogIapJwtAssertion);

    static native byte[] explainTo(long verifier, byte[] token, byte[] place, long nowMs);

    static native byte[] resume(long op, long nowMs, byte[] reply);

    static native void cancel(long op);

    /** Called by the native side, which throws what this returns. */
    static GatepassException failure(byte[] json) {
        return GatepassException.of(Json.readMembers(json));
    }

    /**
     * Frees {@code handle} when nothing can reach {@code owner} any more. Sources and verifiers are shared freely, so
     * nobody can tell who should close one, and a closed one would be one more thing that can go wrong.
     */
    static void freeWhenUnreachable(Object owner, long handle, LongConsumer free) {
        CLEANER.register(owner, () -> free.accept(handle));
    }

    static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] octets) {
        return new String(octets, StandardCharsets.UTF_8);
    }
}
