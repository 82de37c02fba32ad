package dev.gatepass;

import java.util.Map;

/** Replies to the core that more than one kind of step may have. */
final class Reply {
    /** The most octets of a file, a body or an output that are handed over. */
    static final int LIMIT = 1024 * 1024;

    private Reply() {}

    /** A text that was read or supplied. */
    static Map<String, Object> text(String text) {
        return Map.of("reply", "text", "text", text);
    }

    /** The step could not be carried out. The message reaches the user. */
    static Map<String, Object> failed(String kind, String message) {
        return Map.of("reply", "failed", "kind", kind, "message", message);
    }

    /** There was more than {@link #LIMIT}. */
    static Map<String, Object> tooLarge() {
        return failed("too_large", "more than " + LIMIT + " octets");
    }

    /** The kind of the failure and what it says, or else the kind of its innermost cause. */
    static String describe(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String detail = failure.getMessage() != null ? failure.getMessage() : cause.getClass().getSimpleName();
        return failure.getClass().getSimpleName() + ": " + detail;
    }
}
