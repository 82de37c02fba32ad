package dev.gatepass;

import dev.gatepass.driver.Pause;
import java.time.Clock;
import java.util.function.LongSupplier;

/**
 * What time it is, by two clocks: the wall's, which somebody may set, and one that nobody sets. The core takes a moment for
 * come as soon as either says so: {@link System#nanoTime} stops where the machine is suspended (Cloud Run takes the
 * CPU away, a laptop sleeps), and then the wall's clock jumps; where the wall's clock is set back, the other one goes on.
 */
final class Time {
    private static final long START = System.nanoTime();

    /** The system's. */
    static final Time SYSTEM = new Time(Clock.systemUTC(), Time::systemMonotonicMs, Thread::sleep);

    private final Clock clock;
    private final LongSupplier monotonicMs;
    private final Pause pause;

    Time(Clock clock, LongSupplier monotonicMs, Pause pause) {
        this.clock = clock;
        this.monotonicMs = monotonicMs;
        this.pause = pause;
    }

    /** The wall's time by this clock. */
    static Time of(Clock clock) {
        return new Time(clock, Time::systemMonotonicMs, Thread::sleep);
    }

    /** Unix milliseconds. */
    long nowMs() {
        return clock.millis();
    }

    /** Milliseconds since any moment in this process. */
    long monotonicMs() {
        return monotonicMs.getAsLong();
    }

    /** How this time is waited for. */
    Pause pause() {
        return pause;
    }

    private static long systemMonotonicMs() {
        return (System.nanoTime() - START) / 1_000_000;
    }
}
