package dev.gatepass;

import dev.gatepass.driver.Bounds;
import dev.gatepass.json.Json;
import java.util.Map;

/** The core's bounds, as far as this side keeps to them. */
final class Limits {
    private static final Map<String, Object> ALL = Json.readMembers(Native.limits());

    /** How many places the core has for remembered tokens, a power of two. */
    static final int PLACES = get("places");
    /** The most tokens of a kind that are held on this side of the border. */
    static final int HELD_TOKENS = get("held_tokens");
    /** How often a caller asks at most. */
    static final int LOOKS = get("looks");

    /** How much is handed over of files, bodies and outputs. */
    static final Bounds BOUNDS = new Bounds(get("body_bytes"), get("stderr_bytes"));

    private Limits() {}

    private static int get(String name) {
        return ((Long) ALL.get(name)).intValue();
    }
}
