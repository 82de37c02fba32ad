package dev.gatepass.driver;

/**
 * What the core answers to "which token now?" and to "is this token to be accepted?".
 *
 * @param <T> a token or claims
 * @param status what is to be done
 * @param value the token or the claims; null if they are not to be had at once
 * @param flight the flight to join, or that of the operation; 0 if there is none
 * @param op the operation to drive: for the value, or, when there is one, in the background; null if there is none
 */
public record Answer<T>(Status status, T value, long flight, Operation op) {
    /** In the order in which the native side numbers them. */
    public enum Status {
        /** Use the value. */
        READY,
        /** Use the value; drive the operation, if there is one, in the background. */
        STALE,
        /** Drive the operation. */
        DRIVE,
        /** Somebody else drives: wait for the flight, then ask again. */
        JOIN
    }

    /**
     * An answer that was kept.
     *
     * @param <T> a token or claims
     * @param value what is to be used
     * @return an answer with nothing to do
     */
    public static <T> Answer<T> ready(T value) {
        return new Answer<>(Status.READY, value, 0, null);
    }

    /**
     * An operation that nobody joins.
     *
     * @param <T> what it is driven for
     * @param op the operation
     * @return an answer without a value
     */
    public static <T> Answer<T> drive(Operation op) {
        return new Answer<>(Status.DRIVE, null, op.flight(), op);
    }

    /**
     * Whether there is nothing to do but to use the value.
     *
     * @return false if an operation is to be driven or a flight to be joined
     */
    public boolean isReady() {
        return value != null && op == null;
    }
}
