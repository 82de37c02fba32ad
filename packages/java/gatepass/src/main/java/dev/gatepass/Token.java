package dev.gatepass;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

/** A token, and when it ends. */
public final class Token {
    private static final String SCHEME = "Bearer ";

    private final String kind;
    private final String target;
    private final String header;
    private final String value;
    private final long freshUntilMs;
    private final long freshUntilMonotonicMs;
    private final long expiresAtMs;
    /** The last millisecond of the monotonic clock in which it was found to be fresh. */
    private volatile long freshAtMonotonicMs = -1;

    private Token(String kind, String target, String header, long freshUntilMs, long freshUntilMonotonicMs, long expiresAtMs) {
        this.kind = kind;
        this.target = target;
        this.header = header;
        this.value = header.substring(SCHEME.length());
        this.freshUntilMs = freshUntilMs;
        this.freshUntilMonotonicMs = freshUntilMonotonicMs;
        this.expiresAtMs = expiresAtMs;
    }

    static Token of(String kind, String target, byte[] header, Numbers numbers) {
        return new Token(kind, target, new String(header, StandardCharsets.US_ASCII),
                numbers.freshUntilMs(), numbers.freshUntilMonotonicMs(), numbers.expiresAtMs());
    }

    /** Reads the {@code output} of a {@code done} step. */
    static Token of(String kind, String target, Map<String, Object> output) {
        return new Token(kind, target, (String) output.get("header"), (Long) output.get("fresh_until_ms"),
                (Long) output.get("fresh_until_monotonic_ms"), (Long) output.get("expires_at_ms"));
    }

    /** Its kind, as the core names it. */
    String kind() {
        return kind;
    }

    /** What it was asked for: an audience or scopes. */
    String target() {
        return target;
    }

    /**
     * The value of the header {@code Authorization}.
     *
     * @return {@code Bearer} and the token
     */
    public String header() {
        return header;
    }

    /**
     * The token itself.
     *
     * @return of an ID token, a JWT
     */
    public String value() {
        return value;
    }

    /**
     * When it ends.
     *
     * @return a moment; gatepass has another one before that
     */
    public Instant expiresAt() {
        return Instant.ofEpochMilli(expiresAtMs);
    }

    /**
     * Whether it may be handed out without asking the core: neither clock says that its time is over. Nearly all that this
     * takes is to read them, so within a millisecond of the monotonic clock the other one is read once
     * (docs/adr/0006-two-clocks.md).
     */
    boolean isFresh(Time time) {
        long monotonicMs = time.monotonicMs();
        if (time == Time.SYSTEM && monotonicMs == freshAtMonotonicMs) {
            return true;
        }
        boolean isFresh = time.nowMs() < freshUntilMs && monotonicMs < freshUntilMonotonicMs;
        if (isFresh) {
            freshAtMonotonicMs = monotonicMs;
        }
        return isFresh;
    }

    /**
     * A token is never shown.
     *
     * @return the name of the class
     */
    @Override
    public String toString() {
        return "Token";
    }
}
