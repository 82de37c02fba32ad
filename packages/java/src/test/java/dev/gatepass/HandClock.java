package dev.gatepass;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that is moved by hand, or by a step at every look, so that no test waits for the time to pass. */
final class HandClock extends Clock {
    private final AtomicLong millis = new AtomicLong(System.currentTimeMillis());
    private final long perLook;

    private HandClock(Duration perLook) {
        this.perLook = perLook.toMillis();
    }

    /** Shows the present moment until it is moved. */
    static HandClock stopped() {
        return new HandClock(Duration.ZERO);
    }

    /** Goes on by a second each time that it is looked at: a back-off is over at once. */
    static HandClock hasty() {
        return new HandClock(Duration.ofSeconds(1));
    }

    void advance(Duration time) {
        millis.addAndGet(time.toMillis());
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
