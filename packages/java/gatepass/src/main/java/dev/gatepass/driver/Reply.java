package dev.gatepass.driver;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Map;

/** Replies to the core that more than one kind of step may have. */
final class Reply {
    private Reply() {}

    /** A text that was read or supplied. */
    static Map<String, Object> text(String text) {
        return Map.of("reply", "text", "text", text);
    }

    /** The step could not be carried out. The message reaches the user. */
    static Map<String, Object> failed(String kind, String message) {
        return Map.of("reply", "failed", "kind", kind, "message", message);
    }

    /** There was more than may be. */
    static Map<String, Object> tooLarge(int limit) {
        return failed("too_large", "more than " + limit + " bytes");
    }

    /** The kind of the failure and what it says, or else the kind of its innermost cause. */
    static String describe(Throwable failure) {
        if (failure instanceof FileSystemException file && file.getReason() != null) {
            return file.getReason(); // Its message begins with the path, which the core names by itself.
        }
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String detail = failure.getMessage() != null ? failure.getMessage() : cause.getClass().getSimpleName();
        return failure instanceof IOException && failure.getClass() == IOException.class
                ? detail : failure.getClass().getSimpleName() + ": " + detail;
    }
}
