package dev.gatepass;

import java.util.function.Supplier;

/**
 * What the core answers to "which token now?" and to "is this token to be accepted?".
 *
 * @param value the token or the claims; null if they are not to be had at once
 * @param flight the flight to join, or that of the operation; 0 if there is none
 * @param op the operation to drive: for the value, or, when there is one, behind the caller; null if there is none
 */
record Answer<T>(Status status, T value, long flight, Op op) {
    /** In the order in which the native side numbers them. */
    enum Status {
        /** Use the value. */
        READY,
        /** Use the value; drive the operation, if there is one, behind the caller. */
        STALE,
        /** Drive the operation. */
        DRIVE,
        /** Somebody else drives: wait for the flight, then ask again. */
        JOIN
    }

    private static final Status[] STATUSES = Status.values();

    /** An answer that was kept. */
    static <T> Answer<T> ready(T value) {
        return new Answer<>(Status.READY, value, 0, null);
    }

    /** Whether there is nothing to do but to use the value. */
    boolean isReady() {
        return value != null && op == null;
    }

    /** Room for the numbers of an answer. */
    static long[] numbers() {
        return new long[5];
    }

    /** Of a token: Unix milliseconds until which it may be used without asking again. */
    static long freshUntilMs(long[] numbers) {
        return numbers[3];
    }

    /** Of claims: the number by which the core remembers their token; 0 if it does not. */
    static long entry(long[] numbers) {
        return numbers[3];
    }

    /** Of claims: whether nothing proves them. */
    static boolean isUnverified(long[] numbers) {
        return numbers[4] == 1;
    }

    /** Reads the numbers that the native side has written; {@code value} is called if there is one. */
    static <T> Answer<T> read(long[] numbers, Supplier<T> value) {
        Status status = STATUSES[(int) numbers[0]];
        boolean usable = status == Status.READY || status == Status.STALE;
        Op op = numbers[2] == 0 ? null : new Op(numbers[2], numbers[1]);
        return new Answer<>(status, usable ? value.get() : null, numbers[1], op);
    }
}
