package dev.gatepass;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

/** A token as the core hands it out. */
final class Token {
    private static final String SCHEME = "Bearer ";

    private final String header;
    private final String value;
    private final long freshUntilMs;
    private final long freshUntilMonotonicMs;
    private final long expiresAtMs;

    private Token(String header, long freshUntilMs, long freshUntilMonotonicMs, long expiresAtMs) {
        this.header = header;
        this.value = header.substring(SCHEME.length());
        this.freshUntilMs = freshUntilMs;
        this.freshUntilMonotonicMs = freshUntilMonotonicMs;
        this.expiresAtMs = expiresAtMs;
    }

    static Token of(byte[] header, Numbers numbers) {
        return new Token(new String(header, StandardCharsets.US_ASCII),
                numbers.freshUntilMs(), numbers.freshUntilMonotonicMs(), numbers.expiresAtMs());
    }

    /** Reads the {@code output} of a {@code done} step. */
    static Token of(Map<String, Object> output) {
        return new Token((String) output.get("header"), (Long) output.get("fresh_until_ms"),
                (Long) output.get("fresh_until_monotonic_ms"), (Long) output.get("expires_at_ms"));
    }

    /** The value of the {@code Authorization} header. */
    String header() {
        return header;
    }

    /** The token itself. */
    String value() {
        return value;
    }

    Instant expiresAt() {
        return Instant.ofEpochMilli(expiresAtMs);
    }

    /** Whether it may be handed out without asking the core: neither clock says that its time is over. */
    boolean isFresh(Time time) {
        return time.nowMs() < freshUntilMs && time.monotonicMs() < freshUntilMonotonicMs;
    }

    /** A token is never shown. */
    @Override
    public String toString() {
        return "Token";
    }
}
