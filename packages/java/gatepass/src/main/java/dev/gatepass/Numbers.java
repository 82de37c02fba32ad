package dev.gatepass;

import dev.gatepass.driver.Answer;
import java.util.function.Supplier;

/** The numbers of an answer, which the native side writes. */
final class Numbers {
    private static final Answer.Status[] STATUSES = Answer.Status.values();

    private final long[] numbers = new long[6];

    long[] room() {
        return numbers;
    }

    /** Of a token: Unix milliseconds until which it may be used without asking again. */
    long freshUntilMs() {
        return numbers[3];
    }

    /** Of a token: milliseconds of the other clock, likewise. */
    long freshUntilMonotonicMs() {
        return numbers[4];
    }

    /** Of a token: Unix milliseconds. */
    long expiresAtMs() {
        return numbers[5];
    }

    /** Of claims: the number by which the core remembers their token; 0 if it does not. */
    long entry() {
        return numbers[3];
    }

    /** Of claims: whether nothing proves them. */
    boolean isUnverified() {
        return numbers[4] == 1;
    }

    /** The answer; {@code value} is called if there is one. */
    <T> Answer<T> answer(Time time, Supplier<T> value) {
        Answer.Status status = STATUSES[(int) numbers[0]];
        boolean usable = status == Answer.Status.READY || status == Answer.Status.STALE;
        Op op = numbers[2] == 0 ? null : new Op(numbers[2], numbers[1], time);
        return new Answer<>(status, usable ? value.get() : null, numbers[1], op);
    }
}
