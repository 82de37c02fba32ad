package dev.gatepass.testing;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.function.Supplier;

/** The system's clock, as far fast or slow as is said at the moment. */
final class OffsetClock extends Clock {
    private final Supplier<Duration> offset;
    private final ZoneId zone;

    OffsetClock(Supplier<Duration> offset) {
        this(offset, ZoneOffset.UTC);
    }

    private OffsetClock(Supplier<Duration> offset, ZoneId zone) {
        this.offset = offset;
        this.zone = zone;
    }

    @Override
    public Instant instant() {
        return Instant.now().plus(offset.get());
    }

    @Override
    public ZoneId getZone() {
        return zone;
    }

    @Override
    public Clock withZone(ZoneId other) {
        return new OffsetClock(offset, other);
    }
}
