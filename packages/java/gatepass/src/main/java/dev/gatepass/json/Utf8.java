package dev.gatepass.json;

import java.nio.charset.StandardCharsets;

/** The form in which text crosses the border. */
public final class Utf8 {
    private Utf8() {}

    /**
     * The bytes of a text.
     *
     * @param text half of a surrogate pair becomes a question mark
     * @return its UTF-8
     */
    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * The text of bytes.
     *
     * @param bytes what is no UTF-8 in them becomes U+FFFD
     * @return a text
     */
    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
