package dev.gatepass;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A token as the core hands it out. */
final class Token {
    private static final String SCHEME = "Bearer ";

    private final String header;
    private final String value;
    private final long freshUntilMs;

    private Token(String header, long freshUntilMs) {
        this.header = header;
        this.value = header.substring(SCHEME.length());
        this.freshUntilMs = freshUntilMs;
    }

    static Token of(byte[] header, long freshUntilMs) {
        return new Token(new String(header, StandardCharsets.US_ASCII), freshUntilMs);
    }

    /** Reads the {@code token} of a {@code done} step. */
    static Token of(Map<String, Object> token) {
        return new Token((String) token.get("header"), (Long) token.get("fresh_until_ms"));
    }

    /** The value of the {@code Authorization} header. */
    String header() {
        return header;
    }

    /** The token itself. */
    String value() {
        return value;
    }

    /** Unix milliseconds until which it may be handed out without asking the core. */
    long freshUntilMs() {
        return freshUntilMs;
    }

    /** A token is never shown. */
    @Override
    public String toString() {
        return "Token";
    }
}
