package dev.gatepass;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that is moved by hand, or by a step at every look, so that no test waits for the time to pass. */
final class HandClock extends Clock {
    private final AtomicLong millis;
    private final long perLook;

    private HandClock(Instant start, Duration perLook) {
        millis = new AtomicLong(start.toEpochMilli());
        this.perLook = perLook.toMillis();
    }

    /** Shows the present moment until it is moved. */
    static HandClock stopped() {
        return stoppedAt(Instant.now());
    }

    /** Shows this moment until it is moved. */
    static HandClock stoppedAt(Instant start) {
        return new HandClock(start, Duration.ZERO);
    }

    /** Goes on by a second each time that it is looked at: a back-off is over at once. */
    static HandClock hasty() {
        return new HandClock(Instant.now(), Duration.ofSeconds(1));
    }

    /** Begins at this moment, and goes on by more than any wait takes each time that it is looked at. */
    static HandClock hastyFrom(Instant start) {
        return new HandClock(start, Duration.ofSeconds(10));
    }

    /** Time by this clock; what is waited for comes at once. */
    Time time() {
        return new Time(this, () -> 0, delay -> {});
    }

    void advance(Duration time) {
        millis.addAndGet(time.toMillis());
    }

    void set(Instant moment) {
        millis.set(moment.toEpochMilli());
    }

    @Override
    public long millis() {
        return millis.getAndAdd(perLook);
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }

    @Override
    public ZoneId getZone() {
        return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return this;
    }
}
